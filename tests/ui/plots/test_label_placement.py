from mtst.ui.plots.label_placement import CHARACTER, LINE, place_labels


def box(point: tuple[float, float, str], place) -> tuple[float, float, float, float]:
    x, y, name = point
    length = CHARACTER * len(name)
    left = x + place.x if place.anchor == "left" else x + place.x - length
    return left, y + place.y - LINE / 2, left + length, y + place.y + LINE / 2


def test_names_that_would_lie_on_each_other_are_moved_apart_and_stay_inside() -> None:
    points = [(200.0 + k, 100.0 + 2 * k, f"scenario {k}") for k in range(9)]
    boxes = [box(point, place) for point, place in zip(points, place_labels(points, 400, 260), strict=True)]
    for number, (left, top, right, bottom) in enumerate(boxes):
        assert left >= 0
        assert right <= 400
        for other in boxes[:number]:
            assert left >= other[2] or right <= other[0] or top >= other[3] or bottom <= other[1]


def test_a_name_with_room_stands_beside_its_point() -> None:
    (place,) = place_labels([(50.0, 50.0, "heads only")], 400, 260)
    assert (place.y, place.anchor) == (0.0, "left")
    (place,) = place_labels([(380.0, 50.0, "heads only")], 400, 260)
    assert place.anchor == "right"
