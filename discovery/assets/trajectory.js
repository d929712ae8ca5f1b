// A ligand and its pocket, frame by frame, before the receptor that stands still: one WebGL context.
"use strict";
(() => {
  const CARTOON = "#c3ccd6", POCKET = "#8aa0b6", LIGAND = "#e69f00";
  const root = document.getElementById("trajectory-3d");
  const scene = JSON.parse(document.getElementById("scene").textContent);
  const canvas = root.querySelector(".pv-canvas"), slider = root.querySelector(".tv-frame");
  const play = root.querySelector(".tv-play"), says = root.querySelector(".tv-says");

  function colours(carbon) {
    return { C: carbon, N: "#0b4fb3", O: "#c22f0a", S: "#b38600", P: "#a35200", F: "#0b7a4b", Cl: "#0b7a4b", CL: "#0b7a4b",
      Br: "#7a3b1d", BR: "#7a3b1d", I: "#6a2c91", H: "#f2f4f6" };
  }

  let viewer = null;
  try { viewer = $3Dmol.createViewer(canvas, { backgroundColor: "white", antialias: true, cartoonQuality: 6 }); } catch (error) { viewer = null; }
  if (!viewer || !canvas.querySelector("canvas")) {
    canvas.textContent = "This browser offers no WebGL, so there is no 3-D view. The curve below shows the same movement.";
    root.classList.add("pv-ready", "pv-flat");
    return;
  }
  if (scene.receptor) viewer.addModel(scene.receptor, "pdb").setStyle({}, { cartoon: { color: CARTOON, opacity: 0.6, thickness: 0.25 } });
  const moving = [["pocket", "pdb", POCKET, 0.09], ["ligand", "sdf", LIGAND, 0.18]].filter(([name]) => scene[name]).map(([name, format, colour, radius]) => {
    const model = viewer.addModel(scene[name], format, { keepH: true });
    const atoms = model.selectedAtoms({});
    const style = { stick: { radius, colorscheme: { prop: "elem", map: colours(colour) } } };
    return { atoms, model, style, frames: scene[name + "_frames"] };
  });
  for (const part of moving) {
    const quiet = part.atoms.filter((atom) => atom.elem === "H" && atom.bonds.every((index) => part.atoms[index] && part.atoms[index].elem === "C")).map((atom) => atom.serial);
    part.paint = () => { part.model.setStyle({}, part.style); if (quiet.length) part.model.setStyle({ serial: quiet }, {}); };
    part.paint();
  }
  let frame = 0, timer = null;

  function show(next) {
    frame = (next + scene.times.length) % scene.times.length;
    for (const part of moving) {
      const at = part.frames[frame];
      part.atoms.forEach((atom, index) => { atom.x = at[3 * index]; atom.y = at[3 * index + 1]; atom.z = at[3 * index + 2]; });
      part.paint();
    }
    viewer.render();
    slider.value = String(frame);
    const words = scene.times[frame].toFixed(2) + " ps" + (scene.drift.length ? ", " + scene.drift[frame].toFixed(1) + " Å from the start" : "");
    says.textContent = words;
    slider.setAttribute("aria-valuetext", words);
    root.dataset.frame = String(frame);
  }

  function stop() { clearInterval(timer); timer = null; play.textContent = "Play"; }
  slider.max = String(scene.times.length - 1);
  slider.addEventListener("input", () => { stop(); show(Number(slider.value)); });
  play.addEventListener("click", () => {
    if (timer) { stop(); return; }
    play.textContent = "Pause";
    timer = setInterval(() => show(frame + 1), 150);
  });
  show(0);
  const centre = moving[moving.length - 1];
  viewer.zoomTo({ model: centre.model }, 0);
  viewer.zoom(0.75);
  viewer.setSlab(-13, 60);
  viewer.render();
  new ResizeObserver(() => viewer.resize()).observe(canvas);
  root.classList.add("pv-ready");
})();
