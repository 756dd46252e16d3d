// Typesets the formulas with the site's own MathJax; pages without any load nothing.
(() => {
  const vendor = new URL("../vendor/mathjax", document.currentScript.src).href;
  const formulas = () => [...document.querySelectorAll(".arithmatex, .out-html, .out-latex")];
  window.MathJax = {
    loader: {
      paths: { mathjax: vendor, fonts: vendor, "mathjax-newcm": `${vendor}/newcm` },
      load: ["core", "input/tex-base", "[tex]/ams", "[tex]/boldsymbol", "[tex]/newcommand", "[tex]/textmacros", "output/chtml"],
    },
    output: { font: "mathjax-newcm", fontPath: `${vendor}/newcm`, displayOverflow: "linebreak", linebreaks: { width: "100%" } },
    tex: {
      packages: ["base", "ams", "boldsymbol", "newcommand", "textmacros"],
      inlineMath: [["\\(", "\\)"], ["$", "$"]],
      displayMath: [["\\[", "\\]"], ["$$", "$$"]],
      processEscapes: true,
    }, // prettier-ignore
    startup: {
      typeset: false,
      async ready() {
        MathJax.startup.defaultReady();
        await MathJax.startup.promise;
        await MathJax.typesetPromise(formulas());
        document.documentElement.dataset.maths = "ready";
        document.dispatchEvent(new Event("maths"));
      },
    },
  };
  let loading;
  const load = () =>
    (loading ??= new Promise((resolve) => {
      const script = document.createElement("script");
      script.src = `${vendor}/startup.js`;
      document.head.append(script);
      document.addEventListener("maths", resolve, { once: true });
    }));
  window.typesetMaths = async (element) => {
    await load();
    await MathJax.typesetPromise([element]);
  };
  if (document.querySelector(".arithmatex, .out-latex")) load();
  else document.documentElement.dataset.maths = "none";
})();
