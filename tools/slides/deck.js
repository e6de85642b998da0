// Starts the deck, and sets the mathematics of a slide when it is first seen: MathJax cannot measure what is hidden.
(() => {
  "use strict";

  const typeset = () => MathJax.Hub.Queue(["Typeset", MathJax.Hub, Reveal.getCurrentSlide()]);

  Reveal.initialize({
    width: 1280,
    height: 720,
    margin: 0.02,
    center: false,
    hash: true,
    slideNumber: "c/t",
    transition: "none",
    // a player of a filmstrip, a folded cell and a link keep the keys that they understand
    keyboardCondition: (event) => !event.target.closest?.(".course-player, summary, a"),
    plugins: [RevealNotes],
  }).then(() => {
    Reveal.on("slidechanged", typeset);
    if (Reveal.isPrintView()) MathJax.Hub.Queue(["Typeset", MathJax.Hub]);
    else typeset();
  });
})();
