// One 3-D view for all poses of a page: a second one would cost a second WebGL context.
// Text enters the page as textContent only.
"use strict";
(() => {
  const CARTOON = "#c3ccd6", POCKET = "#8aa0b6", LIGAND = "#e69f00", REFERENCE = "#7a5aa6";

  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
    made.append(...children);
    return made;
  }

  function choice(label, checked, changed) {
    const box = element("input", { type: "checkbox" });
    box.checked = checked;
    box.addEventListener("change", () => changed(box.checked));
    return element("label", {}, box, " " + label);
  }

  function mount(root, scene) {
    const canvas = root.querySelector(".pv-canvas");
    const select = root.querySelector(".pv-select");
    const about = root.querySelector(".pv-about");
    const toggles = root.querySelector(".pv-toggles");
    const show = { cartoon: true, pocket: true, labels: true, contacts: true, reference: false, surface: false };

    scene.poses.forEach((pose, index) => select.append(element("option", { value: index }, pose.title)));
    const state = { index: 0, viewer: null, receptor: null, ligand: null, reference: null, surface: null };

    function describe(pose) {
      const lines = [element("p", { class: "pv-score" }, pose.score)];
      if (pose.verdict) lines.push(element("p", { class: pose.verdict.good ? "pv-good" : "pv-bad" }, (pose.verdict.good ? "✓ " : "✗ ") + pose.verdict.text));
      if (pose.contacts.length) {
        const body = element("tbody");
        for (const contact of pose.contacts) {
          const swatch = element("span", { class: "pv-swatch" });
          swatch.style.backgroundColor = contact.colour;
          body.append(element("tr", {}, element("td", {}, contact.residue), element("td", {}, swatch, contact.kind),
            element("td", { class: "num" }, contact.distance === null ? "–" : contact.distance.toFixed(1))));
        }
        lines.push(element("div", { class: "pv-scroll", tabindex: "0", role: "group", "aria-label": "Contacts of this pose" },
          element("table", { class: "small" }, element("thead", {}, element("tr", {}, element("th", { scope: "col" }, "Residue"),
            element("th", { scope: "col" }, "Contact"), element("th", { scope: "col", class: "num" }, "Å"))), body)));
      } else lines.push(element("p", { class: "muted" }, "No contacts were recorded for this pose."));
      about.replaceChildren(...lines);
    }

    function dress() {
      const viewer = state.viewer;
      if (!viewer) return;
      const pose = scene.poses[state.index];
      viewer.removeAllShapes();
      viewer.removeAllLabels();
      if (state.receptor) {
        state.receptor.setStyle({}, show.cartoon ? { cartoon: { color: CARTOON, opacity: 0.72, thickness: 0.25 } } : {});
        if (show.pocket) {
          const near = new Set(pose.near), touched = new Set(pose.contacts.map((contact) => contact.key));
          const name = (atom) => (atom.chain || "").trim() + ":" + atom.resi;
          state.receptor.setStyle({ predicate: (atom) => near.has(name(atom)) },
            { stick: { radius: 0.09, colorscheme: { prop: "elem", map: colours(POCKET) } },
              ...(show.cartoon ? { cartoon: { color: CARTOON, opacity: 0.72, thickness: 0.25 } } : {}) });
          state.receptor.setStyle({ predicate: (atom) => touched.has(name(atom)) },
            { stick: { radius: 0.14, colorscheme: { prop: "elem", map: colours(POCKET) } },
              ...(show.cartoon ? { cartoon: { color: CARTOON, opacity: 0.72, thickness: 0.25 } } : {}) });
        }
      }
      if (show.labels) {
        for (const label of pose.labels) viewer.addLabel(label.text, { position: point(label.at), fontSize: 11, fontColor: "#1a2330",
          backgroundColor: "white", backgroundOpacity: 0.82, borderThickness: 0, padding: 2, inFront: true });
      }
      if (show.contacts) {
        for (const line of pose.lines) viewer.addCylinder({ start: point(line.start), end: point(line.end), radius: 0.075,
          dashed: true, dashLength: 0.28, gapLength: 0.2, fromCap: 1, toCap: 1, color: line.colour });
      }
      if (state.reference) {
        state.reference.setStyle({}, show.reference ? { stick: { radius: 0.1, colorscheme: { prop: "elem", map: colours(REFERENCE) } } } : {});
        hideHydrogens(state.reference);
      }
      if (state.surface !== null) { viewer.removeAllSurfaces(); state.surface = null; }
      if (show.surface && state.receptor) { // of the pocket alone, in this thread: a page of ours starts no workers
        const near = new Set(pose.near);
        $3Dmol.syncSurface = true;
        state.surface = viewer.addSurface($3Dmol.SurfaceType.MS, { opacity: 0.72, color: CARTOON },
          { model: state.receptor, predicate: (atom) => near.has((atom.chain || "").trim() + ":" + atom.resi) });
      }
      viewer.render();
      root.dataset.shown = pose.id;
    }

    function colours(carbon) {
      return { C: carbon, N: "#0b4fb3", O: "#c22f0a", S: "#b38600", P: "#a35200", F: "#0b7a4b", Cl: "#0b7a4b", CL: "#0b7a4b",
        Br: "#7a3b1d", BR: "#7a3b1d", I: "#6a2c91", H: "#f2f4f6" };
    }

    function hideHydrogens(model) {
      const atoms = model.selectedAtoms({});
      const hidden = atoms.filter((atom) => atom.elem === "H" && atom.bonds.every((index) => atoms[index] && atoms[index].elem === "C"));
      model.setStyle({ serial: hidden.map((atom) => atom.serial) }, {});
    }

    const point = (xyz) => ({ x: xyz[0], y: xyz[1], z: xyz[2] });

    function pick(index, moved) {
      state.index = Math.max(0, Math.min(scene.poses.length - 1, index));
      select.value = String(state.index);
      const pose = scene.poses[state.index];
      describe(pose);
      if (!state.viewer) return;
      if (state.ligand) state.viewer.removeModel(state.ligand);
      state.ligand = state.viewer.addModel(pose.sdf, "sdf", { keepH: true });
      state.ligand.setStyle({}, { stick: { radius: 0.17, colorscheme: { prop: "elem", map: colours(LIGAND) } } });
      hideHydrogens(state.ligand);
      dress();
      if (moved) centre();
    }

    function centre(turned) {
      state.viewer.zoomTo({ model: state.ligand }, 0);
      state.viewer.zoom(0.62);
      if (turned === true && scene.turn) state.viewer.setView(state.viewer.getView().slice(0, 4).concat(scene.turn));
      state.viewer.setSlab(-13, 60); // what stands in front of the site is cut away
      state.viewer.render();
    }

    function begin() {
      try {
        state.viewer = $3Dmol.createViewer(canvas, { backgroundColor: "white", antialias: true, cartoonQuality: 6, disableFog: false });
      } catch (error) {
        state.viewer = null;
      }
      if (!state.viewer || !canvas.querySelector("canvas")) {
        state.viewer = null;
        root.classList.add("pv-flat");
        canvas.replaceChildren(element("p", { class: "muted" }, "This browser offers no WebGL, so there is no 3-D view. The flat contact maps show the same contacts."));
      } else {
        if (scene.receptor) state.receptor = state.viewer.addModel(scene.receptor, "pdb");
        if (scene.reference) state.reference = state.viewer.addModel(scene.reference, "sdf", { keepH: true });
        const options = [["Cartoon", "cartoon"], ["Pocket", "pocket"], ["Names", "labels"], ["Contacts", "contacts"], ["Surface", "surface"]];
        if (scene.reference) options.push([scene.reference_name, "reference"]);
        for (const [label, key] of options) toggles.append(choice(label, show[key], (on) => { show[key] = on; dress(); }));
        const home = element("button", { type: "button" }, "Centre");
        home.addEventListener("click", () => centre(true));
        toggles.append(home);
        new ResizeObserver(() => { state.viewer.resize(); }).observe(canvas);
      }
      pick(0, true);
      if (state.viewer) centre(true);
      root.classList.add("pv-ready");
    }

    root.querySelector(".pv-before").addEventListener("click", () => pick(state.index - 1, true));
    root.querySelector(".pv-after").addEventListener("click", () => pick(state.index + 1, true));
    select.addEventListener("change", () => pick(Number(select.value), true));
    const print = element("img", { class: "pv-print", alt: "The pose shown on screen when this page was printed" });
    window.addEventListener("beforeprint", () => {
      if (state.viewer) { print.src = state.viewer.pngURI(); canvas.after(print); }
    });
    begin();
    return { show: (id) => {
      const index = scene.poses.findIndex((pose) => pose.id === id);
      if (index >= 0) pick(index, true);
      return index >= 0;
    } };
  }

  window.poseViewer = mount;
})();
