// Makes a player of each filmstrip: a sheet of frames, left to right and row by row, shown one frame at a time.
// Without this script, and on paper, the page shows the whole sheet.
(() => {
  "use strict";

  const make = (name, attributes, ...children) => {
    const element = Object.assign(document.createElement(name), attributes);
    element.append(...children);
    return element;
  };

  const player = (image) => {
    const strip = JSON.parse(image.dataset.filmstrip);
    const last = strip.frames - 1;
    const rows = Math.ceil(strip.frames / strip.columns);
    let timer = null;

    const play = make("button", { type: "button", textContent: "Play" });
    const back = make("button", { type: "button", textContent: "◀ Step", ariaLabel: "Step back" });
    const on = make("button", { type: "button", textContent: "Step ▶", ariaLabel: "Step on" });
    const slider = make("input", { type: "range", min: 0, max: last, step: 1, value: 0, ariaLabel: "Frame" });
    const label = make("output", {});
    const speed = make("select", { ariaLabel: "Speed" });
    for (const factor of [0.5, 1, 2, 4]) {
      speed.append(make("option", { value: factor, textContent: `${factor} × speed`, selected: factor === 1 }));
    }
    const frame = make("div", { className: "frame" });
    const told = make("p", { className: "told" });
    const buttons = make("div", { className: "buttons" }, play, back, on, slider, label, speed);
    const group = make("div", { className: "course-player", role: "group", ariaLabel: image.alt }, buttons, frame, told);

    const show = (k) => {
      slider.value = k;
      slider.setAttribute("aria-valuetext", strip.labels[k]);
      label.textContent = strip.labels[k];
      told.textContent = strip.captions[k];
      image.alt = `${strip.labels[k]}: ${strip.captions[k]}`;
      image.style.left = `${-100 * (k % strip.columns)}%`;
      image.style.top = `${-100 * Math.floor(k / strip.columns)}%`;
    };
    const stop = () => {
      clearInterval(timer);
      timer = null;
      play.textContent = "Play";
    };
    const tick = () => {
      if (+slider.value < last) show(+slider.value + 1);
      if (+slider.value === last) stop();
    };
    const start = () => {
      if (+slider.value === last) show(0);
      timer = setInterval(tick, 1000 / (strip.speed * speed.value));
      play.textContent = "Pause";
    };
    const step = (by) => {
      stop();
      show(Math.min(Math.max(+slider.value + by, 0), last));
    };

    play.addEventListener("click", () => (timer === null ? start() : stop()));
    back.addEventListener("click", () => step(-1));
    on.addEventListener("click", () => step(1));
    slider.addEventListener("input", () => step(0));
    speed.addEventListener("change", () => {
      if (timer === null) return;
      stop();
      start();
    });

    frame.style.width = `${strip.shown}px`;
    frame.style.aspectRatio = `${strip.width} / ${strip.height}`;
    image.replaceWith(group);
    image.removeAttribute("width");
    image.style.width = `${100 * strip.columns}%`;
    image.style.height = `${100 * rows}%`;
    frame.append(image);
    show(0);
  };

  document.querySelectorAll("img[data-filmstrip]").forEach(player);
})();
