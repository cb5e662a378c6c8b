// The console without scripts does everything but show media. This file adds counts that move, keys
// for what is done often, and the veil that is lifted only while somebody holds it.
"use strict";

(() => {
  const all = (selector) => Array.from(document.querySelectorAll(selector));

  // Counts of the queues. They are asked for while the page is seen, and never more often than this.
  const pause = 10000;

  function follow(list) {
    const update = async () => {
      if (document.hidden) return;
      const answer = await fetch(list.dataset.counts, { credentials: "same-origin" });
      if (answer.status === 401) location.reload(); // signed out: no old number stays on the screen
      if (!answer.ok) return;
      const counts = await answer.json();
      for (const lane of list.querySelectorAll("[data-lane]")) {
        const [waiting, review] = counts[lane.dataset.lane] || [];
        if (waiting === undefined) continue;
        lane.querySelector("[data-waiting]").textContent = waiting;
        lane.querySelector("[data-review]").textContent = review;
      }
    };
    const again = () => update().catch(() => {});
    setInterval(again, pause);
    document.addEventListener("visibilitychange", again);
  }

  // Keys press what says data-press. They can be turned off, for who speaks to his computer.
  const keysOff = "keys-off";

  function press(event) {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    const strong = event.ctrlKey || event.metaKey;
    if (event.altKey || localStorage.getItem(keysOff) || (typing && !strong)) return;
    const name = (strong ? "ctrl+" : "") + event.key.toLowerCase();
    const target = all("[data-press]").find((e) => e.dataset.press === name);
    if (!target) return;
    event.preventDefault();
    target.click();
  }

  function switchKeys(button) {
    const show = () => {
      const off = Boolean(localStorage.getItem(keysOff));
      button.setAttribute("aria-pressed", String(!off));
      document.documentElement.classList.toggle("no-keys", off);
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      if (localStorage.getItem(keysOff)) localStorage.removeItem(keysOff);
      else localStorage.setItem(keysOff, "yes");
      show();
    });
    show();
  }

  // The veil. Each lifting asks the server, which writes it down and may refuse.
  function checked(name) {
    const box = document.querySelector(`[data-veil-${name}]`);
    return Boolean(box && box.checked);
  }

  async function grant(veil) {
    const body = new URLSearchParams({ token: veil.dataset.token, file: veil.dataset.file });
    const answer = await fetch(veil.dataset.action, {
      method: "POST", body, credentials: "same-origin",
    });
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(said.problem || String(answer.status));
    return said;
  }

  function shown(file, box) {
    if (file.kind === "file") {
      location.assign(file.url);
      return null;
    }
    const made = document.createElement(file.kind === "image" ? "img" : file.kind);
    made.referrerPolicy = "no-referrer";
    if (file.kind === "image") {
      made.alt = "";
    } else {
      made.muted = !checked("sound");
      made.controls = true;
    }
    made.src = file.url;
    made.className = "lifted";
    box.replaceChildren(made);
    return made;
  }

  function veiled(veil) {
    const hold = veil.querySelector("[data-hold]");
    const box = veil.querySelector("[data-veil-box]");
    const problem = veil.querySelector("[data-veil-problem]");
    let held = false;

    const lift = async () => {
      if (held) return;
      held = true;
      problem.textContent = "";
      try {
        const file = await grant(veil);
        if (!held) return;
        const made = shown(file, box);
        veil.classList.toggle("colour", checked("colour"));
        veil.classList.add("held");
        if (made && made.play) made.play().catch(() => {});
      } catch (failure) {
        problem.textContent = failure.message;
      }
    };
    const drop = () => {
      held = false;
      veil.classList.remove("held");
      for (const media of box.querySelectorAll("video, audio")) {
        media.pause();
        media.muted = true;
      }
    };
    hold.hidden = false;
    hold.addEventListener("pointerdown", lift);
    for (const end of ["pointerup", "pointercancel", "pointerleave", "blur"]) {
      hold.addEventListener(end, drop);
    }
    hold.addEventListener("keydown", (event) => {
      if (event.key !== " " && event.key !== "Enter") return;
      event.preventDefault();
      if (!event.repeat) lift();
    });
    hold.addEventListener("keyup", drop);
    hold.addEventListener("contextmenu", (event) => event.preventDefault());
    window.addEventListener("blur", drop);
  }

  all("[data-counts]").forEach(follow);
  all("[data-veil]").forEach(veiled);
  all("[data-veil-tools]").forEach((tools) => { tools.hidden = false; });
  all("[data-toggle=keys]").forEach(switchKeys);
  document.addEventListener("keydown", press);
})();
