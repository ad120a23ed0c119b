"""How costs grow with the number of events, as a page of charts that needs nothing but itself."""

import html
import math

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 64, 330, 16, 40  # names of lines stand at the right
LABEL = 15  # names are at least so far apart
COLOURS = ("#1b6ac9", "#c2410c", "#15803d", "#7e22ce", "#b91c1c", "#0f766e",
           "#a16207", "#be185d", "#4d7c0f", "#4338ca", "#0e7490", "#57534e")


def _decades(values):
    """The powers of ten around them."""
    low = math.floor(math.log10(min(values)))
    high = max(math.ceil(math.log10(max(values))), low + 1)
    return range(low, high + 1)


def _shown(value):
    return math.isfinite(value) and value > 0


def _power(exponent):
    return f"{10 ** exponent:,}" if exponent >= 0 else f"{10.0 ** exponent:.{-exponent}f}"


def _apart(places):
    """The places, moved down where they would overlap."""
    order = sorted(range(len(places)), key=lambda i: places[i])
    moved = list(places)
    for before, at in zip(order, order[1:]):
        moved[at] = max(moved[at], moved[before] + LABEL)
    over = max(moved, default=0) - (HEIGHT - BOTTOM)
    return [place - max(over, 0) for place in moved]


def chart(sizes, lines, unit):
    """An SVG of `lines`, (name, a value for each size), both axes logarithmic. Values that are not
    a number, or nothing, are left out."""
    shown = [value for _, values in lines for value in values if _shown(value)]
    if not shown:
        return ""
    across, up = _decades(sizes), _decades(shown)

    def x(size):
        part = (math.log10(size) - across[0]) / (across[-1] - across[0])
        return LEFT + part * (WIDTH - LEFT - RIGHT)

    def y(value):
        part = (math.log10(value) - up[0]) / (up[-1] - up[0])
        return HEIGHT - BOTTOM - part * (HEIGHT - BOTTOM - TOP)

    parts = [f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img">']
    for power in up:
        at = y(10.0 ** power)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>'
                     f'<text x="{LEFT - 6}" y="{at + 4:.1f}" class="y">{_power(power)}</text>')
    for power in across:
        at = x(10.0 ** power)
        parts.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
                     f'<text x="{at:.1f}" y="{HEIGHT - BOTTOM + 16}" class="x">{_power(power)}'
                     f'</text>')
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 4}">events; {html.escape(unit)} upwards</text>')
    drawn = []
    for number, (name, values) in enumerate(lines):
        points = [(x(size), y(value)) for size, value in zip(sizes, values) if _shown(value)]
        if points:
            drawn.append((name, points, COLOURS[number % len(COLOURS)]))
    for (name, points, colour), label in zip(drawn, _apart([d[1][-1][1] for d in drawn])):
        parts.append(f'<polyline stroke="{colour}" points="'
                     + " ".join(f"{across_at:.1f},{up_at:.1f}" for across_at, up_at in points)
                     + '"/>')
        parts += [f'<circle cx="{across_at:.1f}" cy="{up_at:.1f}" r="3" fill="{colour}"/>'
                  for across_at, up_at in points]
        parts.append(f'<text x="{WIDTH - RIGHT + 8}" y="{label + 4:.1f}" fill="{colour}">'
                     f'{html.escape(name)}</text>')
    return "".join(parts) + "</svg>"


def page(title, charts):
    """An HTML page of `charts`, (heading, SVG)."""
    body = "".join(f"<h2>{html.escape(heading)}</h2>{svg}" for heading, svg in charts if svg)
    return ('<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"/>'
            f"<title>{html.escape(title)}</title><style>"
            "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;"
            "padding:0 1rem;color:#1c1917;background:#fff}"
            "svg{width:100%;height:auto}svg text{font-size:12px}"
            "svg .y{text-anchor:end}svg .x{text-anchor:middle}"
            "svg line{stroke:#e7e5e4}svg polyline{fill:none;stroke-width:1.5}"
            f"</style></head><body><h1>{html.escape(title)}</h1>{body}</body></html>\n")
