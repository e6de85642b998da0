"""Rows of small grey images, the form in which every lesson shows its digits."""

import numpy as np

from course_utils.figures.style import drawing, figure


@drawing
def image_grid(rows, labels, *, columns=None, title="", size=0.62):
    """Draw rows of images under one another, each row with its label on the left. Returns the figure.

    Parameters
    ----------
    rows : sequence of (n, h, w) arrays, pixels in [0, 1]; NaN is drawn hatched, as missing
    labels : sequence of str, one a row
    columns : int, images drawn of each row; all by default
    title : str
    size : float, inches of one image
    """
    if len(rows) != len(labels):
        raise ValueError(f"labels must be one for each of {len(rows)} rows; got {len(labels)}.")
    columns = columns or max(len(row) for row in rows)
    fig, axes = figure(
        len(rows),
        columns,
        width=columns * size + 1.9,
        height=len(rows) * size + (0.45 if title else 0.1),
        squeeze=False,
    )
    for ax in axes.flat:
        ax.set_axis_off()
    for row, label, line in zip(rows, labels, axes, strict=True):
        line[0].text(-0.25, 0.5, label, transform=line[0].transAxes, ha="right", va="center", fontsize=12)
        for image, ax in zip(row[:columns], line, strict=False):
            height, width = image.shape
            ax.imshow(np.nan_to_num(image, nan=0.0), cmap="gray_r", vmin=0, vmax=1)
            if np.isnan(image).any():
                top = np.flatnonzero(np.isnan(image).any(axis=1)).min() - 0.5
                ax.fill_between(
                    [-0.5, width - 0.5],
                    top,
                    height - 0.5,
                    facecolor="#DDDDDD",
                    hatch="////",
                    edgecolor="#999999",
                )
            ax.plot(
                [-0.5, width - 0.5, width - 0.5, -0.5, -0.5],
                [-0.5, -0.5, height - 0.5, height - 0.5, -0.5],
                color="#BBBBBB",
                linewidth=0.8,
            )
    if title:
        fig.suptitle(title, x=0.01, ha="left", fontsize=14)
    return fig
