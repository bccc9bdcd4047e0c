"""The results page of chapter 00."""

from itm_tutorial.chapters.page import MINIMAL_PAIRS, Column, Page, Table

MODELS = {"bow": "`bow`, a bag of words", "vse": "`vse`, a GRU", "untrained": "`vse`, untrained"}

PAGE = Page(
    title="Chapter 00: retrieval in five minutes",
    claims=("start_here",),
    paragraphs=(
        """Drawn scenes, size `mini`: 3,000 images for training, 500 for validation and 1,000 for the test, with
        five captions each. The learning rate of `vse` was chosen on seed 0.""",
        """A bag of words does not know which colour belongs to which object. A network that reads the words in
        order does: on minimal pairs with swapped colours, `vse` is ahead of `bow` ({holds: vse beats bow where the
        binding decides (points)}). On counts ({too close to say: vse beats bow where the count decides (points)})
        and on replaced objects ({too close to say: vse beats bow where the object decides (points)}) the two models
        do equally well; five seeds show no difference. Neither model knows left from right ({too close to say: vse
        beats bow where the relation decides (points)}): both stay near 50 %, which is chance.""",
    ),
    tables=(
        Table(
            title="Recall",
            claim="start_here",
            head="model",
            columns=(
                Column("image to text R@1", "i2t_r1"),
                Column("text to image R@1", "t2i_r1"),
                Column("rsum", "rsum"),
                Column("training on two cores, s", "seconds"),
            ),
            rows={"ceiling": "ceiling: an oracle that reads the true scene", **MODELS},
        ),
        Table(
            title="Minimal pairs",
            claim="start_here",
            head="model",
            columns=MINIMAL_PAIRS,
            rows=MODELS,
            text="How often the right one of two pictures wins that differ in one thing, in percent. Chance is 50.",
        ),
    ),
    headlines=(
        """A network that reads words in order knows which colour belongs to which object, a bag of words does not:
        {holds: vse beats bow where the binding decides (points)} (accuracy on minimal pairs, points). Neither knows
        left from right.""",
    ),
)
