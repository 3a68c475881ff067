"""Make a screenshot small: a PNG with a palette, which suits pages of few colours. Chromium decodes, Python writes."""

from __future__ import annotations

import base64
import struct
import zlib

from playwright.sync_api import BrowserContext

COLOURS = 128
# Takes the most frequent colours as they are, and the nearest of these for every other colour.
TO_INDEXES = """async ([data, most]) => {
  const blob = await (await fetch(`data:image/png;base64,${data}`)).blob();
  const bitmap = await createImageBitmap(blob);
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext("2d");
  context.drawImage(bitmap, 0, 0);
  const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
  const counts = new Map();
  const at = (index) => (pixels[index] << 16) | (pixels[index + 1] << 8) | pixels[index + 2];
  for (let index = 0; index < pixels.length; index += 4) counts.set(at(index), (counts.get(at(index)) || 0) + 1);
  const palette = [...counts].sort((one, other) => other[1] - one[1]).slice(0, most).map(([colour]) => colour);
  const far = (one, other) => ((one >> 16) - (other >> 16)) ** 2
    + (((one >> 8) & 255) - ((other >> 8) & 255)) ** 2 + ((one & 255) - (other & 255)) ** 2;
  const nearest = new Map();
  for (const colour of counts.keys()) {
    let best = 0;
    palette.forEach((each, index) => { if (far(colour, each) < far(colour, palette[best])) best = index; });
    nearest.set(colour, best);
  }
  const indexes = new Uint8Array(pixels.length / 4);
  for (let index = 0; index < indexes.length; index++) indexes[index] = nearest.get(at(index * 4));
  let text = "";
  for (let from = 0; from < indexes.length; from += 8192) {
    text += String.fromCharCode(...indexes.subarray(from, from + 8192));
  }
  return {width: bitmap.width, height: bitmap.height, palette, indexes: btoa(text)};
}"""


def indexed(context: BrowserContext, png: bytes) -> bytes:
    """Return the same picture as a PNG of at most COLOURS colours. Transparency is dropped."""
    page = context.new_page()
    found = page.evaluate(TO_INDEXES, [base64.b64encode(png).decode(), COLOURS])
    page.close()
    width, pixels = found["width"], base64.b64decode(found["indexes"])
    lines = b"".join(b"\0" + pixels[start : start + width] for start in range(0, len(pixels), width))
    header = struct.pack(">IIBBBBB", width, found["height"], 8, 3, 0, 0, 0)
    palette = b"".join(colour.to_bytes(3, "big") for colour in found["palette"])
    chunks = [(b"IHDR", header), (b"PLTE", palette), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(name, body) for name, body in chunks)


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
