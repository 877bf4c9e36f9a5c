"""Reading with onnxruntime, NumPy and Pillow alone, from what `classifier.export --format onnx` writes.

    python examples/read_onnx.py exported image.png another.jpg

Images must have the size that `reader.json` names.
"""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image


def to_network(grey, rule):
    ink = grey > rule["threshold"] if rule["ink"] == "light" else grey < rule["threshold"]
    return np.where(ink | ((grey == 0) & rule["zero_is_ink"]), 1, -1).astype(np.float32)[None, :, :, None]


def read(scores, table):
    if table["scores"] == "positions":
        return "".join(table["alphabet"][code] for code in scores.argmax(axis=-1))
    if table["scores"] == "columns":
        path = scores.argmax(axis=-1)
        begins = (path != np.roll(path, 1)) | (np.arange(len(path)) == 0)
        return "".join(table["alphabet"][code] for code in path[begins & (path < len(table["alphabet"]))])
    presence = 1 / (1 + np.exp(scores[..., -1] - np.logaddexp.reduce(scores[..., :-1], axis=-1)))
    sides, left, found, r = np.pad(presence, ((0, 0), (1, 1))), presence.copy(), [], table["radius_cells"]
    for k in range(table["length"][1]):  # the strongest cells, none beside a stronger one
        row, x = np.unravel_index(left.argmax(), left.shape)
        if k >= table["length"][0] and left[row, x] <= table["presence_min"]:
            break
        before, here, after = sides[row, x : x + 3]
        place = x + (after - before) / (2 * max(here + max(before, after), 1e-6))
        found.append((place, table["alphabet"][scores[row, x, :-1].argmax()]))
        left[max(0, row - r) : row + r + 1, max(0, x - r) : x + r + 1] = -1
    return "".join(character for _, character in sorted(found))


if __name__ == "__main__":
    table = json.loads((Path(sys.argv[1]) / "reader.json").read_text())
    if table["format_version"] != 1:
        sys.exit(f"expected reader.json of format version 1, received {table['format_version']}; export again")
    session = onnxruntime.InferenceSession(str(Path(sys.argv[1]) / table["file"]))
    for path in sys.argv[2:]:
        image = to_network(np.asarray(Image.open(path).convert("L")), table["binarize"])
        scores = session.run(None, {session.get_inputs()[0].name: image})[0][0]
        sys.stdout.write(f"{path} {read(scores, table)}\n")
