"""The charts of tools/dev bench scale say what was measured."""

import math
import pathlib
import sys
import unittest
import xml.etree.ElementTree

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))
import scale_plot

SIZES = [1_000_000, 10_000_000, 100_000_000]


def parsed(svg):
    return xml.etree.ElementTree.fromstring(svg)


def points(svg):
    """Of each line."""
    return [[tuple(map(float, point.split(","))) for point in line.get("points").split()]
            for line in parsed(svg).iter("polyline")]


class ScalePlot(unittest.TestCase):
    def test_more_stands_higher_and_further_right(self):
        (line,) = points(scale_plot.chart(SIZES, [("a", [0.01, 0.5, 30])], "ms"))
        self.assertEqual(len(line), 3)
        self.assertTrue(line[0][0] < line[1][0] < line[2][0])
        self.assertTrue(line[0][1] > line[1][1] > line[2][1])

    def test_ten_times_as_much_is_as_far_up_everywhere(self):
        (line,) = points(scale_plot.chart(SIZES, [("a", [0.1, 1, 10])], "ms"))
        self.assertAlmostEqual(line[0][1] - line[1][1], line[1][1] - line[2][1], places=0)

    def test_what_is_no_number_is_left_out(self):
        lines = [("a", [1, math.nan, 3]), ("b", [math.nan] * 3), ("c", [0, 2, 2])]
        self.assertEqual([len(line) for line in points(scale_plot.chart(SIZES, lines, "ms"))],
                         [2, 2])
        self.assertEqual(scale_plot.chart(SIZES, [("b", [math.nan] * 3)], "ms"), "")

    def test_every_name_stands_there_and_none_on_another(self):
        names = [f"<{number}> & more" for number in range(12)]
        svg = scale_plot.chart(SIZES, [(name, [1, 1, 1]) for name in names], "ms")
        labels = {text.text: float(text.get("y")) for text in parsed(svg).iter("text")}
        places = sorted(labels[name] for name in names)
        self.assertTrue(all(b - a >= 14 for a, b in zip(places, places[1:])), places)
        self.assertLess(places[-1], scale_plot.HEIGHT)

    def test_the_page_holds_its_charts_and_asks_for_nothing(self):
        svg = scale_plot.chart(SIZES, [("a", [1, 2, 3])], "ms")
        page = scale_plot.page("Scale & more", [("Warm", svg), ("None", "")])
        self.assertIn(svg, page)
        self.assertIn("Scale &amp; more", page)
        self.assertNotIn("None", page)
        self.assertNotIn("http", page)
        self.assertNotIn("src=", page)


if __name__ == "__main__":
    unittest.main()
