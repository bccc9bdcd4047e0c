# %% [markdown]
# # 90 · The field in one evening
#
# **You will be able to**
#
# - read eight years of published results as a table: who held the record, and what the record is worth;
# - find results that cannot be right, by comparing them with their neighbours;
# - compare two published rows as far as they can be compared, and put your own runs beside them.
#
# *About 60 minutes with the exercises; under one of them is the computer's.*
#
# ## The question
#
# A paper on image-text matching ends with a table, and its last row is bold. A survey collects such tables: ours has 78
# papers, and two editions of results, 576 of the year 2020 and 2,552 of 2025. So the field's history is a data set, and you
# can ask it what you would ask any data set. **Who was best when? What bought the gain? And which numbers do you believe?**
#
# Nobody made this data set for us. Each result was measured by its own authors, on their own machines, with their own code.
# Some were measured by rivals. That decides what can be learned from them, and this chapter is as much about what cannot.

# %% tags=["parameters"]
import os

edition = "2020"  # of the survey's results; "2025" has more rows, most of them of methods whose year is not known here
dataset = "Flickr30K"
board = "runs/leaderboard.jsonl"  # your own runs, where there are any, in the course's folder
size, epochs = "tiny", 6  # of the small run that adds one
seed = 0
if os.environ.get("ITM_FAST") == "1":  # for tests
    epochs = 2

# %%
import tempfile
from pathlib import Path

import torch

import itm_tutorial as itm
from itm_tutorial.chapters.ch90_literature import exercises, figures

papers, results = itm.literature.papers(), itm.literature.results(edition)
print(f"{len(papers)} papers, {len(results)} results, {results.value.notna().sum()} of them reported")

# %% [markdown]
# ## The picture to aim for
#
# A point is a published row, at the year in which its method appeared. The line is the record: the best single model so far. An
# *ensemble* adds up the scores of several models. *Doubtful* results are those that we think may be wrong; each has its reason.
#
# **Question.** In which year did the record jump most? Does any later point lie below the line, and what does that mean?

# %%
figures.record(dataset, edition=edition)

# %% [markdown]
# **Answer.** Read the heights of the steps, and then ask what each step changed. With the default data set the largest are those of
# 2014 and of 2017. UVSE brought a recurrent network that reads the sentence *and* another picture network than DeViSE's
# row has. DAN brought attention on both sides *and* a ResNet; with VGG, the network of the step before, it has 41.4, one
# point above the record. Many points lie far below the line of their time. They are not failures: a paper may
# study a smaller network, another data set, or an idea that helps elsewhere. A record is one number of one table.
#
# Below, `cite` names a paper in a few words, from the same data.

# %% tags=["nbval-check-output"]
for key in ("frome2013devise", "kiros2014uvse", "faghri2018vsepp", "lee2018scan"):
    print(itm.literature.cite(key))

# %% [markdown]
# ## The idea
#
# Let row $i$ have the year $y_i$ and the value $v_i$. The record at the end of year $y$ is a running maximum:
#
# $$R(y) = \max_{i:\; y_i \le y} v_i$$
#
# It can only rise, whatever the field does. If papers were drawn from a hat, with no progress at all, the record would
# still climb, quickly at first and then ever more slowly, because the best of many is better than the best of few. So a
# rising record by itself shows nothing. What shows progress is that *most* papers of a year beat most of an earlier one.
#
# The whole field on one page, as the survey sorts it. A filled square has a chapter in this course.
#
# **Question.** Which category is the largest, and what does its name say about the survey? Which years are missing?

# %%
figures.papers_timeline()

# %% [markdown]
# **Answer.** The largest is no category at all: thirty papers stand in a list called *Posted in*, unsorted. Read their
# titles, and many of 2020 belong under *interaction*. Between 2010 and 2013 there is nothing, and after 2020 nothing either,
# though the field did not stop; the edition of 2025 has results of later methods, without their papers. A survey is a sample, too.
#
# ## Build it
#
# ### Exercise 1 (10 minutes, ★★): the staircase
#
# `years` is `[n_rows]` and `values` is `[n_rows]`, in any order; a missing result is NaN. Give the record at the end of each year
# that occurs, `[n_years]`, in the order of years. The first year always has a result.
#
# <details><summary>Hint 1</summary>First the best of each year, then the best so far.</details>
# <details><summary>Hint 2</summary>years.unique() gives the years in their order; values[years == year].max() is the best of one.</details>
# <details><summary>Hint 3</summary>nan_to_num(nan=-torch.inf) takes missing results out; cummax(0).values is the best so far.</details>


# %% tags=["exercise"]
def record_by_year(years, values):
    # solution
    values = values.nan_to_num(nan=-torch.inf)  # a missing result sets no record
    best = torch.stack([values[years == year].max() for year in years.unique()])  # [n_years], years in their order
    return best.cummax(0).values
    # end of solution


record_by_year = exercises.record_by_year.check(record_by_year)

# %% [markdown]
# On the field's own results: image retrieval on Flickr30K, all rows, then only single models that nobody doubts. In which year do the two differ, and
# by whose row?

# %% tags=["nbval-check-output"]
frame = itm.literature.results("2020").merge(papers[["key", "year"]], on="key")
frame = frame[(frame.dataset == "Flickr30K") & (frame.metric == "R@1") & (frame.direction == "t2i")]
print("years ", sorted(frame.year.unique().tolist()))
for name, rows in (("all   ", frame), ("single", frame[~frame.ensemble & ~frame.doubtful])):
    found = record_by_year(torch.tensor(rows.year.to_numpy()), torch.tensor(rows.value.to_numpy()))
    print(name, [round(step, 1) for step in found.tolist()])

# %% [markdown]
# ### Exercise 2 (10 minutes, ★★): figures that cannot be
#
# Recall never falls as *k* grows. And a later rank seldom finds more than an earlier one: ranks 6 to 10 together find R@10 − R@5, ranks 2 to 5
# find R@5 − R@1, and *per rank* the first should not be more than the second. `r1`, `r5`, `r10` are `[n_rows]`, NaN where a paper is silent.
# Give `[n_rows]`, True where a row breaks either rule. Silence breaks none.
#
# <details><summary>Hint 1</summary>Two rules: recall never falls as k grows, and a later rank finds no more than an earlier one.</details>
# <details><summary>Hint 2</summary>Ranks 2 to 5 are four, and together they find r5 - r1. Ranks 6 to 10 are five, and find r10 - r5.</details>
# <details><summary>Hint 3</summary>(r1 &gt; r5) | (r5 &gt; r10) | ((r10 - r5) / 5 &gt; (r5 - r1) / 4); with NaN a comparison is False.</details>


# %% tags=["exercise"]
def suspicious(r1, r5, r10):
    # solution
    falls = (r1 > r5) | (r5 > r10)
    return falls | ((r10 - r5) / 5 > (r5 - r1) / 4)  # NaN compares as False: what is missing is not suspicious
    # end of solution


suspicious = exercises.suspicious.check(suspicious)

# %% [markdown]
# Every row of both editions goes through your function. How many do you expect among a few hundred?

# %% tags=["nbval-check-output"]
names = ["edition", "dataset", "method", "note", "ensemble", "direction"]
both = [itm.literature.results(year) for year in ("2020", "2025")]
for table in both:
    wide = table.pivot_table(index=names, columns="metric", values="value", sort=False)
    odd = suspicious(*(torch.tensor(wide[metric].to_numpy()) for metric in ("R@1", "R@5", "R@10")))
    print(f"{len(wide)} curves, {int(odd.sum())} suspicious: {[name[1:4] for name in wide.index[odd.numpy()]]}")

# %% [markdown]
# One row stands out in both editions: m-RNN on MSCOCO, with R@1 29.0, **R@5 42.2**, R@10 77.0. What R@5 was meant, nobody here knows, and so the
# course keeps the printed value and marks it. Correcting it by guess would be making up data.
#
# Such a rule finds misprints, not mistakes of measurement. 2WayNet's rows pass it, and yet they are marked: the
# authors' public code counts ranks from 0 and asks for `<= k`, so that its R@1 holds two ranks. Only someone who *ran the code* could see that.

# %% tags=["nbval-check-output"]
doubts = itm.literature.corrections().query("doubtful")
for row in doubts[["method", "kind"]].drop_duplicates().itertuples():
    print(f"{row.method:<8} {row.kind}")

# %% [markdown]
# ### Look up a row
#
# Choose data set and measure, sort, filter, and pick a row to see its paper and what must be known about it. Try *CUHK-PEDES*, and then the
# edition of 2025.
#
# **Question.** Which rows of the list have no year? What would you have to do to place them?

# %%
figures.literature_explorer()

# %% [markdown]
# **Answer.** In the edition of 2020 there are none. In that of 2025 most rows are of methods that are not among the 78 papers, so that the list
# shows a question mark and the figure leaves them out. To place them you would look up each paper, one by one. We did not guess.
#
# ## Measure it: what bought the gain?
#
# From 2013 to 2018 the record rose by some sixty points. How much was the loss's, how much the interaction's, how much the picture network's? A
# regression over all rows would give an answer, and a wrong one: good ideas of 2018 came with good networks of 2018. More honest are *pairs*: two rows of
# one method on one data set that differ in one thing.
#
# ### Exercise 3 (15 minutes, ★★★): paired differences
#
# Each row has a `dataset`, a `method`, a `network` (0 or 1) and a `value`, all `[n_rows]`. Give the mean of value with network 1 less value
# with network 0, over all pairs of the same method on the same data set. Rows without a partner do not count.
#
# <details><summary>Hint 1</summary>A pair is two rows of one method on one data set, one with network 0, one with network 1.</details>
# <details><summary>Hint 2</summary>For a row with network 0 its partners are (network == 1) &amp; (dataset == dataset[i]) &amp; (method == method[i]).</details>
# <details><summary>Hint 3</summary>Collect value[partner] - value[i] for each row with network 0 that has a partner, and take the mean.</details>


# %% tags=["exercise"]
def paired_difference(dataset, method, network, value):
    # solution
    gains = []
    for i in (network == 0).nonzero().flatten():
        partner = (network == 1) & (dataset == dataset[i]) & (method == method[i])
        gains += (value[partner] - value[i]).tolist()
    return sum(gains) / len(gains)
    # end of solution


paired_difference = exercises.paired_difference.check(paired_difference)

# %% [markdown]
# VGG against ResNet in the edition of 2025, R@1. First the careless way, the mean of all ResNet rows less the mean of all VGG rows; then yours. Which
# is larger, and why?

# %% tags=["nbval-check-output"]
one = (
    both[1]
    .query("metric == 'R@1' and note in ('VggNet', 'ResNet') and not doubtful and not ensemble")
    .dropna(subset="value")
)
network = torch.tensor((one.note == "ResNet").to_numpy()).long()
value = torch.tensor(one.value.to_numpy())
where = torch.tensor((one.dataset + one.direction).astype("category").cat.codes.to_numpy())
method = torch.tensor(one.method.astype("category").cat.codes.to_numpy())
print(f"means: {value[network == 1].mean() - value[network == 0].mean():+.1f}", end=", ")
print(f"pairs: {paired_difference(where, method, network, value):+.1f}")

# %% [markdown]
# The careless way credits the network with everything that came along with it: many methods never had a VGG row, and they
# are the later ones. Within pairs that drops out.
#
# All such pairs that the survey's notes give. A dot is a pair; the bar is the median.
#
# **Question.** Where are the largest differences? Which rows of this figure would you show to someone who believes that only losses matter? And which
# would *you* not trust?

# %%
figures.ingredients()

# %% [markdown]
# **Answer.** The largest, and the best supported, come from a better picture network: 31 pairs of ten methods, all on the same side of zero. Losses
# have few pairs and smaller differences. That does not make them weak. Hardly anyone publishes the same network under
# two losses; who invents a network publishes it with two backbones. **What is easy to swap is what was swapped.** Distrust every row with
# one method: its dots are three or six measurements of one thing. And even a pair may hide a second change, such as more
# epochs, fine-tuning, or a margin that was tuned for one of the two. Direction of attention, for one, goes either way.
#
# Chapters 02 and 03 do what no table can: they train both, with one seed and one recipe. `itm.claims.results("vsepp")` keeps what came out.
#
# ### Who follows whom
#
# Ideas travel as code. The map has only what we could check in code, in papers or in the survey's notes; heights mean nothing, and a missing arrow
# means that we did not check.
#
# **Question.** Which paper has the most arrows going out? What are arrows 20 to 22?

# %%
figures.who_follows_whom()

# %% [markdown]
# **Answer.** VSE++ and SCAN, four each, and SCAN's loss comes from VSE++. Arrows 20 to 22 are a mistake that was inherited: the evaluation code prints a
# wrong line for results in folds, and the same wrong line turns up in later repositories. A shared bug is a better proof of descent than a
# reference in the introduction.
#
# ## Train it: add a row of your own
#
# `fit` knows nothing of leaderboards. A callback watches the epochs, and when the run has ended well it appends the best one as a line to a file. Here it
# goes into a temporary file first, so that running this chapter does not fill your leaderboard with bags of words.

# %%
mine = Path(tempfile.mkdtemp()) / "leaderboard.jsonl"
corpus = itm.load_corpus("scenes", size=size, seed=seed)
model = itm.create_model("bow", corpus, dim=128, word_dim=64, seed=seed)
with itm.leaderboard.leaderboard_callback(corpus, seed=seed, file=mine) as recorder:
    itm.fit(model, corpus, epochs=epochs, batch_size=32, learning_rate=3e-3, seed=seed, callbacks=[recorder])
(row,), damaged = itm.leaderboard.read(mine)
print(
    {name: row[name] for name in ("method", "corpus", "split", "seed", "epoch")}, f"rsum {row['metrics']['rsum']:.0f}"
)

# %% [markdown]
# Without `file=` the line goes to `runs/leaderboard.jsonl`, and so do those of `itm train` and `itm evaluate`. If you have such a file its runs come along.
#
# **Question.** Below your bar stands a reason. Which of its parts could you mend, and which not?

# %%
if itm.in_course(board).exists():
    itm.leaderboard.merge([itm.in_course(board)], mine)
figures.leaderboard(
    "scenes", dataset if dataset in itm.leaderboard.STANDS_FOR["scenes"] else None, edition=edition, file=mine
)

# %% [markdown]
# **Answer.** *Evaluated on the val split* is easily mended: give `run_row` of the trained model, with metrics of the test split, to `record`. *Drawn images* are not: no
# training turns drawings into photographs. The two panels have a page in common and nothing else.
#
# ### Exercise 4 (10 minutes, ★): two leaderboards
#
# A class sends its files. `mine` and `theirs` are `[n, 3]`: method, seed, rsum, all as numbers. Give all runs once: those of `mine` in
# their order, then those of `theirs` that are not there yet. Another rsum is another run.
#
# <details><summary>Hint 1</summary>Two rows are the same run where all three numbers agree.</details>
# <details><summary>Hint 2</summary>mine.tolist() gives rows as lists; tuple(row) can be a key of a dict, which keeps its order.</details>
# <details><summary>Hint 3</summary>dict.fromkeys(map(tuple, mine.tolist())), update it with theirs, then torch.tensor(list(rows)).</details>


# %% tags=["exercise"]
def merged(mine, theirs):
    # solution
    rows = dict.fromkeys(map(tuple, mine.tolist()))  # a set that keeps its order
    rows.update(dict.fromkeys(map(tuple, theirs.tolist())))
    return torch.tensor(list(rows))
    # end of solution


merged = exercises.merged.check(merged)

# %% [markdown]
# ## Break it: a record from nothing
#
# Now the failure that this whole chapter warns of. A hundred papers, ten a year, and **no progress at all**: each draws its R@1 from the same hat, 50 give or take 5. Your
# staircase reads them. What will it show?

# %% tags=["nbval-check-output"]
hat = torch.Generator().manual_seed(0)
years, drawn = torch.arange(2011, 2021).repeat_interleave(10), 50 + 5 * torch.randn(100, generator=hat)
print("record:       ", [round(step) for step in record_by_year(years, drawn).tolist()])
print("year's median:", [round(drawn[years == year].median().item()) for year in range(2011, 2021)])

# %% [markdown]
# The record rises all the same, and each step would have been a bold row in somebody's table. The medians tell the truth. Do the same with the true results: the median of each year *does*
# rise, from 4.5 to 53 on Flickr30K, so the field has learned something (though in three of seven years a single row makes the median). How much of a single step is luck, no table of single runs can say; for this you need seeds.
#
# ## The paper's numbers and yours
#
# Here is one step of the record as its paper reported it, beside what you can say about the same step from your own chapters.

# %%
step = itm.literature.results("2020").query(
    "method in ('UVSE', 'VSE++') and dataset == 'Flickr30K' and metric == 'R@1'"
)
for row in step.itertuples():
    print(f"{row.method:<6} {row.note:<8} {row.direction}  {row.value:5.1f}   {itm.literature.cite(row.key)}")
for effect in itm.claims.results("vsepp")["effects"][:2]:
    print(f"ours: {effect['name']}: {effect['mean']:+.1f} ± {effect['standard_error']:.1f}: {effect['verdict']}")
steps = figures.staircase(figures.reported(dataset, edition=edition))
print(f"Headline: {len(steps)} records on {dataset}, the last {steps[-1]['method']} {steps[-1]['value']:g}")

# %% [markdown]
# The two kinds of numbers are **not comparable**: one is R@1 on photographs, the other a difference of rsum on drawings. But they answer different
# questions, and the second is the one you wanted. From UVSE to VSE++ with VGG the table shows some fifteen to eighteen points, and *several* things changed; our effect is of one change, over seeds, with its error.
#
# ## Quiz
#
# **1. The record on a data set has risen every year. What follows?**
#
# <details><summary>The field makes progress every year</summary>No: a running maximum rises among papers drawn from a hat, as you saw.</details>
# <details><summary>Nothing yet: look at whole years, not at their best</summary>Yes. If medians rise too, and by more than seeds scatter, something was learned.</details>
# <details><summary>The data set is nearly solved</summary>No: how far a result is from its ceiling is another question, and needs the ceiling.</details>
#
# **2. A row has R@1 40, R@5 38, R@10 70. What do you do with it?**
#
# <details><summary>Mark it as doubtful and keep what was printed</summary>Yes. R@5 cannot be below R@1, and which of the two is wrong the table does not say.</details>
# <details><summary>Replace 38 by 58, surely a slip of a digit</summary>No: that is a guess that nobody can tell from a measurement afterwards.</details>
# <details><summary>Drop the paper</summary>No: the other results may be fine, and a row that vanishes cannot be checked by anyone.</details>
#
# **3. VSE++ with ResNet beats VSE++ with VGG by twelve points. What may you say?**
#
# <details><summary>ResNet is worth twelve points</summary>No: it was for this method on this data set; among ten methods the gain goes from one to eighteen.</details>
# <details><summary>The loss of VSE++ is worth twelve points</summary>No: the loss is the same in both rows; that is what makes them a pair.</details>
# <details><summary>In this pair, the network and what came with it made twelve points</summary>Yes. What came with it, such as fine-tuning, the note does not tell.</details>
#
# **4. Why are there so few pairs for losses?**
#
# <details><summary>Losses have little effect, so nobody reports them</summary>No: you cannot infer an effect from how often it was measured.</details>
# <details><summary>Who proposes a loss seldom reruns another's network, and the survey lists main rows</summary>Yes. Ablations stand in the papers themselves, and a survey leaves them out.</details>
# <details><summary>A loss cannot be changed without changing the network</summary>No: it is a single option here, as chapter 02 showed.</details>
#
# **5. Your run has R@1 52 on drawn scenes, VSE++ has 39.6 on Flickr30K. Who wins?**
#
# <details><summary>You: 52 is more</summary>No: another data set, another number of pictures, another kind of sentence.</details>
# <details><summary>VSE++: photographs are harder</summary>No: they may well be, but by how much is not known from two numbers.</details>
# <details><summary>Nobody can know, and the board says why</summary>Yes. Train both on the same corpus, and then compare, over seeds.</details>
#
# ## Where to go next
#
# - Set `dataset = "CUHK-PEDES"` above: only one direction is reported there. Why would a police archive be searched by text alone?
# - `itm.literature.bibtex("lee2018scan")` gives an entry for your thesis; `docs/bibliography.md` lists every paper with its links.
# - Run `itm train scan` and open this chapter again: the run stands on your board. `itm leaderboard --merge` gathers those of a class.
