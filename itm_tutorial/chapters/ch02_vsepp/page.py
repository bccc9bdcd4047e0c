"""The results page of chapter 02."""

from itm_tutorial.chapters.page import MINIMAL_PAIRS, Column, Page, Table

NOISY = "{row}, 10 % wrong"
LEAD = "{row}: above sum from this epoch on"

PAGE = Page(
    title="Chapter 02: VSE++",
    claims=("vsepp", "second_stage"),
    paragraphs=(
        """Drawn scenes, size `mini`. A bag of words with embeddings of 512 numbers is trained for 40 epochs, and
        only the loss differs. Every run had converged: its last quarter added less than 1 % to its best rsum.""",
        """The hardest negative beats the sum over all negatives at convergence, with a warm-up ({holds: max with a
        warm-up beats sum at convergence (rsum)}) and without one ({holds: max without a warm-up beats sum at
        convergence (rsum)}). It gains more than the sum from a batch of 512 in place of 32 ({holds: a batch of 512
        over one of 32 helps max more than sum (rsum)}). With the GRU and ten epochs, `vsepp` beats `vse` ({holds:
        with the GRU, vsepp beats vse in ten epochs (rsum)}).""",
        """Four other claims are too close to say: that a bag of words needs the warm-up ({too close to say: a
        warm-up helps max (rsum)}; the GRU needs it, as the notebook shows), that InfoNCE beats the hardest negative
        ({too close to say: InfoNCE beats max with a warm-up (rsum)}), that the five hardest negatives do ({too
        close to say: top 5 beats max with a warm-up (rsum)}), and that the five hardest stand wrong captions better
        ({too close to say: with 10 % wrong captions top 5 beats max (rsum)}).""",
        """Order embeddings tell better than the cosine of `vse` whether one caption follows from another ({holds:
        order violation tells entailment better than vse's cosine (AUC points)}).""",
        """The second stage trains `vsepp` with its GRU for five more epochs, at a tenth of the learning rate and
        with one caption per image in each epoch. Training the backbone too raises rsum ({holds: the backbone
        trained too, 0.5 of the epochs at 0.1 of the rate, raises rsum}). With the backbone frozen, the five epochs
        add nothing, so that the free backbone is ahead by about as much ({holds: more than going on with it frozen
        (rsum)}).""",
    ),
    tables=(
        Table(
            title="Losses",
            claim="vsepp",
            head="loss",
            columns=(
                Column("batch 32", "rsum", where={"batch_size": 32}),
                Column("batch 128", "rsum", where={"batch_size": 128}),
                Column("batch 512", "rsum", where={"batch_size": 512}),
                Column("batch 128, 10 % wrong captions", "rsum", run=NOISY, where={"batch_size": 128}),
                Column("training, batch 128, s", "seconds", where={"batch_size": 128}),
            ),
            rows={
                "sum": "sum of hinges",
                "max": "largest hinge",
                "max, warm-up": "largest hinge, warm-up",
                "top 5": "five largest hinges",
                "infonce": "InfoNCE",
            },
            text="rsum of the bag of words. An empty cell was not measured.",
        ),
        Table(
            title="When the largest hinge overtakes the sum",
            claim="vsepp",
            head="loss",
            columns=(Column("ahead on the validation split from this epoch on", "epoch", run=LEAD),),
            rows={"max": "largest hinge", "max, warm-up": "largest hinge, warm-up"},
        ),
        Table(
            title="The recipes with a GRU, and entailment",
            claim="vsepp",
            head="model",
            columns=(
                Column("rsum", "rsum"),
                Column("entailment by cosine", "entailment/cosine"),
                Column("entailment by order violation", "entailment/order"),
            ),
            rows={
                "ceiling": "ceiling",
                "vse, GRU": "`vse`",
                "vsepp, GRU": "`vsepp`",
                "order, GRU": "`order`, order embeddings",
            },
            text="""Entailment: does one caption of an image follow from another? Area under the ROC curve in
            percent; chance is 50.""",
        ),
        Table(
            title="The second stage",
            claim="second_stage",
            head="`vsepp` with its GRU",
            columns=(
                Column("image to text R@1", "i2t_r1"),
                Column("text to image R@1", "t2i_r1"),
                Column("rsum", "rsum"),
                *MINIMAL_PAIRS,
                Column("training, s", "seconds"),
            ),
            rows={
                "first stage": "first stage",
                "on, backbone frozen": "five more epochs, backbone frozen",
                "on, all weights free": "five more epochs, all weights free",
            },
        ),
    ),
    notes=(
        """In two of the three runs, the second stage with all weights free took about 80 s on one core. The third
        took 227 s on a machine that was shared.""",
    ),
    headlines=(
        """The hardest negative (VSE++) beats the sum over all negatives at convergence: {holds: max with a warm-up
        beats sum at convergence (rsum)} (rsum).""",
    ),
)
