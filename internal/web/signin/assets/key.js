// Signing in, enrolling and proving again with a security key. Pages say what there is without this
// script.
//
// https://www.w3.org/TR/webauthn-3/
"use strict";

(() => {
  if (!window.PublicKeyCredential || !navigator.credentials) return;

  const bytes = (text) => {
    const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, (c) => c.charCodeAt(0));
  };
  const text = (buffer) => {
    const plain = String.fromCharCode(...new Uint8Array(buffer));
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  };

  async function send(path, fields) {
    const answer = await fetch(path, {
      method: "POST", body: new URLSearchParams(fields), credentials: "same-origin",
    });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.problem || String(answer.status));
    return said;
  }

  // The options as the browser wants them: what is binary is base64url in JSON.
  function read(options) {
    const made = { ...options, challenge: bytes(options.challenge) };
    if (made.user) made.user = { ...made.user, id: bytes(made.user.id) };
    for (const list of ["allowCredentials", "excludeCredentials"]) {
      if (made[list]) made[list] = made[list].map((c) => ({ ...c, id: bytes(c.id) }));
    }
    return made;
  }

  function write(credential) {
    const response = { clientDataJSON: text(credential.response.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (credential.response[name]) response[name] = text(credential.response[name]);
    }
    if (credential.response.getTransports) {
      response.transports = credential.response.getTransports();
    }
    return {
      id: credential.id, rawId: text(credential.rawId), type: credential.type, response,
      clientExtensionResults: credential.getClientExtensionResults(),
      authenticatorAttachment: credential.authenticatorAttachment || undefined,
    };
  }

  async function signed(path, kind, fields) {
    const begun = await send(path, fields);
    const options = { publicKey: read(begun.options.publicKey) };
    const credential = await navigator.credentials[kind](options);
    return JSON.stringify({ name: begun.name, answer: write(credential) });
  }

  function says(section, failure) {
    const problem = section.querySelector("[data-key-problem]");
    problem.textContent = failure.message;
    problem.hidden = false;
  }

  for (const section of document.querySelectorAll("[data-key-form]")) section.hidden = false;

  for (const form of document.querySelectorAll("form[data-key-start]")) {
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const fields = Object.fromEntries(new FormData(form));
      const { keyStart, keyAnswer, keyKind } = form.dataset;
      try {
        const answer = await signed(keyStart, keyKind, fields);
        const said = await send(keyAnswer, { ...fields, answer });
        location.assign(said.next);
      } catch (failure) {
        says(form.closest("[data-key-form]"), failure);
      }
    });
  }

  for (const button of document.querySelectorAll("[data-prove]")) {
    button.addEventListener("click", async () => {
      try {
        button.form.elements.prove_key.value = await signed(button.dataset.prove, "get", {});
        button.form.submit();
      } catch (failure) {
        says(button.closest("[data-key-form]"), failure);
      }
    });
  }
})();
