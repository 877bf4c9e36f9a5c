"""The page on which a person corrects readings: one HTML file that needs no other file and no network.

Text in, text out. Readings and pictures lie in the page as JSON, which its script shows. Names and texts never become
markup.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Any

from classifier.reading.predictions import Prediction

STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 0 1em 2em; color: #222; background: #fff }
header { position: sticky; top: 0; background: #fff; padding: .6em 0; border-bottom: 1px solid #ccc }
main { display: flex; flex-wrap: wrap; gap: .8em; margin-top: .8em }
figure { margin: 0; padding: .5em; border: 1px solid #ccc; border-radius: 4px } figure.checked { background: #e9f5e4 }
img { display: block; width: 200px; image-rendering: pixelated } input { font: 18px monospace; width: 190px }
input:invalid { outline: 2px solid #c2410c } figcaption { font-size: 12px; color: #555; max-width: 200px;
overflow-wrap: anywhere } .characters span { padding: 0 .15em; font-family: monospace }
"""

SCRIPT = """
"use strict";
const quoted = (cell) => /[",\\r\\n]/.test(cell) ? '"' + cell.replaceAll('"', '""') + '"' : cell;
const toCsv = (rows) => [["name", "text", "checked"], ...rows].map((row) => row.map(quoted).join(",") + "\\n").join("");
const rowsOf = (items) => items.map((item) => [item.name, item.text, item.checked ? "1" : "0"]);
function allowed(text, alphabet) { return alphabet === null || [...text].every((one) => alphabet.includes(one)); }

function show(page, items, changed) {
  for (const item of items) {
    const figure = document.createElement("figure"), image = document.createElement("img");
    const input = document.createElement("input"), caption = document.createElement("figcaption");
    const characters = document.createElement("div");
    image.src = item.image; image.alt = "";
    input.value = item.text; input.setAttribute("aria-label", item.name); input.autocapitalize = "off";
    caption.textContent = item.name + ", " + (100 * item.confidence).toFixed(1) + "%";
    characters.className = "characters";
    [...item.read].forEach((one, k) => {
      const span = document.createElement("span"), sure = item.confidences[k];
      span.textContent = one;
      if (sure !== undefined) {
        span.style.background = "hsl(" + 120 * sure + " 70% 85%)";
        span.title = (100 * sure).toFixed(1) + "%" + (item.seconds[k] ? ", or " + item.seconds[k] : "");
      }
      characters.append(span);
    });
    const mark = (checked) => {
      item.text = input.value; item.checked = checked;
      input.setCustomValidity(allowed(item.text, page.alphabet) ? "" : "not in the alphabet");
      figure.classList.toggle("checked", checked);
      changed();
    };
    input.addEventListener("input", () => mark(true));
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      mark(true);
      (figure.nextElementSibling?.querySelector("input") ?? input).focus();
    });
    figure.classList.toggle("checked", item.checked);
    figure.append(image, characters, input, caption);
    document.querySelector("main").append(figure);
  }
}

function start() {
  const page = JSON.parse(document.getElementById("data").textContent), key = "review " + page.id;
  let kept = {};
  try { kept = JSON.parse(localStorage.getItem(key)) ?? {}; } catch { /* no storage: nothing is kept on reload */ }
  const items = page.items.map((item) => {
    const [text, checked] = kept[item.name] ?? [item.text, false];
    return { ...item, read: item.text, text, checked };
  });
  const count = () => {
    const checked = items.filter((item) => item.checked);
    document.getElementById("count").textContent = checked.length + " of " + items.length + " checked";
    const entries = checked.map((item) => [item.name, [item.text, true]]);
    try { localStorage.setItem(key, JSON.stringify(Object.fromEntries(entries))); } catch { /* as above */ }
  };
  document.getElementById("export").addEventListener("click", () => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([toCsv(rowsOf(items))], { type: "text/csv" }));
    link.download = page.file;
    link.click();
  });
  show(page, items, count);
  count();
}
if (typeof document !== "undefined") start();
"""

PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<style>{style}</style>
<header><strong>{title}</strong> <span id="count"></span> <button id="export">Export CSV</button><br>
Least confident first. Type what the picture shows; Enter confirms and goes on. The export holds all texts and says
which ones you checked.</header>
<main></main>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</html>
"""


def render(title: str, page: dict[str, Any]) -> str:
    """The page. ``page``: id, file (name of the exported CSV), alphabet or None, and items (see `items_of`)."""
    return PAGE.format(title=escape(title), style=STYLE, script=SCRIPT, data=embed(page))


def embed(value: Any) -> str:
    """JSON for a script element: nothing in it can end the element or open a comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def items_of(rows: Sequence[tuple[Prediction, str]]) -> list[dict[str, Any]]:
    """The page's items, one for each pair of a prediction and the data URI of its picture."""
    names = ("name", "text", "confidence", "confidences", "seconds")
    return [{**{name: getattr(prediction, name) for name in names}, "image": image} for prediction, image in rows]
