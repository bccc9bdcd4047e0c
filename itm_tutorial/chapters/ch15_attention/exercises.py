"""The exercises of chapter 15, in the order of the notebook: three parts by hand, three slips, two on paper."""

from itm_tutorial.chapters.ch15_attention.build_exercises import foveal_score, memory_scores, transport_plan
from itm_tutorial.chapters.ch15_attention.paper_exercises import active_hinges, worth_rescoring
from itm_tutorial.chapters.ch15_attention.slip_exercises import hardest_bce, node_messages, reason

EXERCISES = (
    memory_scores,
    active_hinges,
    foveal_score,
    transport_plan,
    node_messages,
    hardest_bce,
    reason,
    worth_rescoring,
)
