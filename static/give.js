// Comfort for the pages of giving. Without this file they do the same; no word and no sum is written here.
"use strict";

const form = document.getElementById("amount-form");
if (form) {
  const amounts = form.querySelector(".amounts");
  const other = form.querySelector('[name="amount"][value="other"]');
  const typed = document.getElementById("amount-other");
  const chips = () => [...amounts.querySelectorAll(".choice:not(.other)")];

  // Another frequency, its own amounts. What was typed stays as it is.
  const swap = (frequency) => {
    const fresh = document.querySelector(`template[data-set="${frequency}"]`).content.cloneNode(true);
    if (other.checked) fresh.querySelectorAll("input").forEach((input) => { input.checked = false; });
    const wasOther = other.checked;
    chips().forEach((chip) => chip.remove());
    amounts.prepend(fresh);
    if (wasOther) other.checked = true;
    chips().forEach((chip, index) => {
      form.querySelector(`[data-amount="${index + 1}"]`).textContent = `: ${chip.textContent.trim()}`;
    });
    document.querySelector('#currency [name="frequency"]').value = frequency;
  };

  form.querySelector(".suggest").remove();
  form.addEventListener("change", (event) => {
    if (event.target.name === "frequency") swap(event.target.value);
  });
  // A click or the space bar opens the field; arrow keys only pass through.
  other.addEventListener("click", (event) => { if (event.detail) typed.focus(); });
  typed.addEventListener("input", () => { other.checked = true; });

  // The back button may bring back another frequency than the one the page was made for.
  addEventListener("pageshow", () => {
    const frequency = form.querySelector('[name="frequency"]:checked').value;
    const wanted = document.querySelector(`template[data-set="${frequency}"]`).content.querySelector("input").value;
    if (chips()[0].querySelector("input").value !== wanted) swap(frequency);
  });
}

const email = document.getElementById("email");
if (email) {
  const hint = document.getElementById("email-likely");
  const usual = hint.dataset.usual.split(" ");
  const real = hint.dataset.real.split(" ");

  // A letter more, less or other, or two changed places: the rule of payments/giving/forms.py.
  const oneSlipApart = (left, right) => {
    while (left && left[0] === right[0]) { left = left.slice(1); right = right.slice(1); }
    while (left && left.at(-1) === right.at(-1)) { left = left.slice(0, -1); right = right.slice(0, -1); }
    return Math.max(left.length, right.length) === 1 || (left.length === 2 && left === [...right].reverse().join(""));
  };

  // The question takes the hint's place, so that nothing moves under a finger on its way to the button.
  email.addEventListener("change", () => {
    const [, local, domain] = email.value.trim().match(/^(.+)@([^@]+)$/) || [];
    const likely = domain && !real.includes(domain.toLowerCase())
      && usual.find((name) => oneSlipApart(domain.toLowerCase(), name));
    hint.textContent = likely ? hint.dataset.words.replace("{email}", `${local}@${likely}`) : "";
    hint.previousElementSibling.hidden = Boolean(likely);
  });
}

// While the payment is not known: look again in silence, and show a page only when it says something else.
const waiting = document.querySelector("[data-last-try]");
if (waiting) {
  const look = async (times) => {
    const answer = await fetch(location.href).then((each) => (each.ok ? each.text() : "")).catch(() => "");
    if (answer && !answer.includes('data-state="checking"')) location.reload();
    else if (times < 6) setTimeout(look, 5000, times + 1);
    else location.replace(waiting.dataset.lastTry);
  };
  setTimeout(look, 5000, 1);
}

document.querySelector(".problem")?.focus();
