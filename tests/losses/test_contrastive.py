"""InfoNCE, compared with a loop over positive pairs."""

import pytest
import torch

from itm_tutorial.losses import InfoNCE, create_loss


def pairing(image_of, n_images):
    return torch.arange(n_images)[:, None] == torch.tensor(image_of)[None, :]


def infonce_by_loop(scores, positives, temperature):
    """Van den Oord et al. 2018, equation 4, one row and one column per positive pair."""
    parts = []
    for i, c in positives.nonzero().tolist():
        exp = (scores / temperature).exp()
        row = exp[i, c] + sum(exp[i, k] for k in range(scores.shape[1]) if not positives[i, k])
        column = exp[i, c] + sum(exp[k, c] for k in range(scores.shape[0]) if not positives[k, c])
        parts.append(-(exp[i, c] / row).log() - (exp[i, c] / column).log())
    return torch.stack(parts).mean()


@pytest.mark.parametrize("image_of", [[0, 1, 2], [2, 0, 0, 1, 2, 2], [1, 1]])
def test_infonce_equals_the_loop_with_its_gradient(image_of):
    scores = torch.randn(3, len(image_of), dtype=torch.float64, requires_grad=True)
    positives = pairing(image_of, 3)
    ours, expected = InfoNCE(0.1)(scores, positives), infonce_by_loop(scores, positives, 0.1)
    assert torch.allclose(ours, expected, atol=1e-9)
    grads = [torch.autograd.grad(loss, scores)[0] for loss in (ours, expected)]
    assert torch.allclose(*grads, atol=1e-9)


def test_the_default_temperature_is_seven_hundredths():
    scores, positives = torch.rand(3, 4, dtype=torch.float64), pairing([0, 1, 1, 2], 3)
    expected = infonce_by_loop(scores, positives, 0.07)
    for loss in (InfoNCE(), create_loss("infonce"), create_loss("infonce", temperature=None)):
        assert torch.allclose(loss(scores, positives), expected, atol=1e-9)
    assert (infonce_by_loop(scores, positives, 0.1) - expected).abs() > 0.01
