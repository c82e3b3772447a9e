"""QR codes in the terminal."""


def qr_lines(text: str) -> list[str]:
    """A QR code of half blocks, light on dark, with its quiet zone."""
    import segno  # It takes a while, and few want a QR code.

    rows = [[bool(cell) for cell in row] for row in segno.make(text, micro=False).matrix_iter(border=2)]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    # A dark module is left dark, and a light one is drawn.
    blocks = {(False, False): "█", (False, True): "▀", (True, False): "▄", (True, True): " "}
    return [
        "".join(blocks[pair] for pair in zip(above, below, strict=True))
        for above, below in zip(rows[::2], rows[1::2], strict=True)
    ]
