"""Several processes: what it costs to sum gradients, and what is left of the speed-up."""

import numpy as np

from course_utils.figures.style import GREY, INK, LOOKS, drawing, figure, line


@drawing
def costs(sizes, seconds, fitted, processes, speed_ups):
    """Left the time of an all-reduce against its size, right the speed-up against the number of processes.

    Parameters
    ----------
    sizes : (n,) bytes
    seconds : (n, rounds) as measured
    fitted : (n,) what latency and bandwidth say
    processes : (m,) numbers of processes
    speed_ups : dict, name → (m,) array, at most five
    """
    sizes, seconds, processes = np.asarray(sizes), np.asarray(seconds), np.asarray(processes)
    fig, (left, right) = figure(1, 2, width=12, height=5.8)
    rounds = seconds.shape[1]
    left.scatter(np.repeat(sizes, rounds), 1e3 * seconds.ravel(), s=26, facecolors="none", edgecolors=LOOKS[0].color)
    left.plot(sizes, 1e3 * np.median(seconds, axis=1), "o", color=LOOKS[0].color, label="measured: rounds and median")
    left.plot(sizes, 1e3 * np.asarray(fitted), **line(1), label="latency + size / bandwidth")
    left.set(xscale="log", yscale="log", xlabel="bytes summed", ylabel="milliseconds, two processes")
    left.legend(loc="upper left")
    right.plot(processes, processes, color=INK, linestyle=":", label="p processes, p times")
    right.plot(processes, processes / 2, color=GREY, linestyle=":", label="efficiency 50 %")
    for k, (name, values) in enumerate(speed_ups.items()):
        right.plot(processes, values, label=name, **line(k))
    ticks = 2 ** np.arange(int(np.log2(processes[-1])) + 1)
    right.set(xscale="log", yscale="log", xlabel="processes p", ylabel="speed-up", ylim=(0.05, 2 * processes[-1]))
    right.set_xticks(ticks, [str(tick) for tick in ticks])
    right.minorticks_off()
    fig.legend(*right.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return fig
