"""What the metrics count."""

import torch

from course_utils.metrics import exact_match


class TestExactMatch:
    def test_a_row_is_right_from_first_to_last_or_wrong(self):
        wanted = torch.tensor([[5, 6, 2], [5, 2, 0], [7, 8, 2], [5, 6, 2]])
        found = torch.tensor([[5, 6, 2, 0], [5, 6, 2, 0], [7, 8, 9, 2], [6, 5, 2, 0]])
        assert exact_match(found, wanted).tolist() == [True, False, False, False]
        assert exact_match(wanted, found).tolist() == [True, False, False, False]

    def test_what_comes_too_short_is_wrong(self):
        assert exact_match(torch.tensor([[5, 6]]), torch.tensor([[5, 6, 2]])).tolist() == [False]
