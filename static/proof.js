// Proof of work for the details form while the door is guarded (payments/guard/proof.py). It begins when the page is
// there, and mostly is done before the button is pressed. Where it cannot be computed, the form asks for an email.
"use strict";

const guarded = document.getElementById("guarded");
if (guarded) {
  const { parameters, signature } = JSON.parse(guarded.dataset.challenge);
  const field = guarded.elements.proof;
  const AT_A_TIME = 16;

  const bytes = (hex) => Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
  const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, "0")).join("");
  const nonce = bytes(parameters.nonce);
  const salt = bytes(parameters.salt);

  const derive = async (counter) => {
    const password = new Uint8Array(nonce.length + 4);
    password.set(nonce);
    new DataView(password.buffer).setUint32(nonce.length, counter);
    const key = await crypto.subtle.importKey("raw", password, "PBKDF2", false, ["deriveBits"]);
    const how = { name: "PBKDF2", hash: "SHA-256", salt, iterations: parameters.cost };
    return hex(await crypto.subtle.deriveBits(how, key, 8 * parameters.keyLength));
  };

  // The browser derives beside the page, so that typing never waits.
  const solve = async () => {
    for (let first = 0; ; first += AT_A_TIME) {
      const counters = Array.from({ length: AT_A_TIME }, (_, index) => first + index);
      const keys = await Promise.all(counters.map(derive));
      const found = keys.findIndex((key) => key.startsWith(parameters.keyPrefix));
      if (found >= 0) {
        const solution = { counter: counters[found], derivedKey: keys[found] };
        return btoa(JSON.stringify({ challenge: { parameters, signature }, solution }));
      }
    }
  };

  const proof = solve().catch(() => "");

  const askForEmail = () => {
    document.getElementById("by-email").hidden = false;
    if (guarded.elements.by_email) return;
    const wish = document.createElement("input");
    wish.type = "hidden";
    wish.name = "by_email";
    wish.value = "1";
    guarded.append(wish);
  };

  // Nothing can be computed here: the form says so before anything is typed.
  proof.then((text) => { if (!text) askForEmail(); });

  let isSending = false;
  guarded.addEventListener("submit", async (event) => {
    if (guarded.elements.by_email) return;
    event.preventDefault();
    if (isSending) return;
    isSending = true;
    const said = document.getElementById("proving");
    said.textContent = said.dataset.words;
    field.value = await proof;
    if (field.value) guarded.submit();
    else { said.textContent = ""; isSending = false; }
  });
  // Back from Stripe's page, the form can be sent again.
  addEventListener("pageshow", () => {
    isSending = false;
    document.getElementById("proving").textContent = "";
  });

  if ("sendsItself" in guarded.dataset) guarded.requestSubmit();
}
