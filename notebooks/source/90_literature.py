# %% [markdown]
# # 90 · The field in one evening
#
# **You will be able to**
#
# - read eight years of published results as a table: who held the record, and what a record is worth;
# - find results that cannot be right, by comparing them with related numbers;
# - compare two published rows as far as they can be compared, and put your own runs beside them.
#
# ## The question
#
# A paper on image-text matching ends with a table, and the last row of the table is bold. A survey collects such tables. Ours
# has 78 papers and two editions of results, 576 of the year 2020 and 2,552 of 2025. So the field's history is a data set, and
# you can analyse it like any data set. **Who was best in which year? What caused the gains? And which numbers do you believe?**
#
# Nobody designed this data set. The authors measured each result themselves, on their own machines and with their own code;
# a few results were measured by others. This limits what you can learn from the table, and the chapter also shows these limits.

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
from IPython.display import display

import itm_tutorial as itm
from itm_tutorial.chapters.ch90_literature import answers, exercises, figures
from itm_tutorial.chapters.ch90_literature.map_figures import chapter_notebooks

papers, results = itm.literature.papers(), itm.literature.results(edition)
print(f"{len(papers)} papers, {len(results)} results, {results.value.notna().sum()} of them reported")

# %% [markdown]
# ## The picture to aim for
#
# Each point is a published row, drawn at the year of its method's paper. The line is the record: the best single model so
# far. An *ensemble* adds the scores of several models. A *doubtful* result may be wrong, for a reason that the course gives.
#
# **Question.** In which year did the record rise most? Some later points are below the line: are these papers failures?

# %%
figures.record(dataset, edition=edition)

# %% tags=["answer"]
itm.show.answer(answers.record(figures.reported(dataset, edition=edition)))

# %% [markdown]
# `cite` names a paper in a few words, from the same data.

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
# A running maximum can only rise. Suppose that papers were drawn at random, with no progress at all. The record would still
# rise, first quickly and then more slowly, because the best of many results is better than the best of few. So a rising
# record does not prove progress. A better sign of progress is that *most* papers of one year are better than most papers of
# an earlier year.
#
# The next figure shows all papers of the survey, in the survey's own categories. A filled square marks a paper with a
# chapter in this course. Below the figure the papers stand in a list that folds open, with links to each paper, its code and
# its chapter.
#
# **Question.** Which category is the largest, and is it a kind of method? Which years have no papers?

# %%
display(figures.papers_timeline())
figures.papers_list()

# %% tags=["answer"]
itm.show.answer(answers.categories(papers, chapter_notebooks()))

# %% [markdown]
# ## Build it
#
# ### Exercise 1 (10 minutes, ★★): the record by year
#
# `years` is `[n_rows]` and `values` is `[n_rows]`, in any order; a missing result is NaN. Return the record at the end of each year
# that occurs, `[n_years]`, in ascending order of years. The first year always has a result.
#
# <details><summary>Hint 1</summary>First compute the best result of each year, then the best so far.</details>
# <details><summary>Hint 2</summary>years.unique() gives the years in their order; values[years == year].max() is the best of one.</details>
# <details><summary>Hint 3</summary>nan_to_num(nan=-torch.inf) removes missing results; cummax(0).values is the best so far.</details>


# %% tags=["exercise"]
def record_by_year(years, values):
    # solution
    values = values.nan_to_num(nan=-torch.inf)  # a missing result sets no record
    best = torch.stack([values[years == year].max() for year in years.unique()])  # [n_years], years in their order
    return best.cummax(0).values
    # end of solution


record_by_year = exercises.record_by_year.check(record_by_year)

# %% [markdown]
# Now the field's own results: image retrieval on Flickr30K, first all rows, then only single models that are not doubtful.
#
# **Question.** Before you run it: in which years will the two records differ, and because of whose row?

# %% tags=["nbval-check-output"]
frame = itm.literature.results("2020").merge(papers[["key", "year"]], on="key")
frame = frame[(frame.dataset == "Flickr30K") & (frame.metric == "R@1") & (frame.direction == "t2i")]
print("years ", sorted(frame.year.unique().tolist()))
for name, rows in (("all   ", frame), ("single", frame[~frame.ensemble & ~frame.doubtful])):
    found = record_by_year(torch.tensor(rows.year.to_numpy()), torch.tensor(rows.value.to_numpy()))
    print(name, [round(step, 1) for step in found.tolist()])

# %% tags=["answer"]
itm.show.answer(answers.filtered_record(frame))

# %% [markdown]
# ### Exercise 2 (10 minutes, ★★): results that cannot be right
#
# Two rules hold for recalls. **First, recall never falls as *k* grows.** Second, a later rank seldom finds more than an earlier
# one. Ranks 2 to 5 together find R@5 − R@1, and ranks 6 to 10 together find R@10 − R@5. **Per rank, ranks 6 to 10 should not find
# more than ranks 2 to 5.** `r1`, `r5` and `r10` are `[n_rows]`, NaN where a paper does not report the number. Return `[n_rows]`, True
# where a row breaks either rule. A missing number breaks none.
#
# <details><summary>Hint 1</summary>Compare neighbours: r1 with r5, r5 with r10, and the gain per rank from 1 to 5 with that from 5 to 10.</details>
# <details><summary>Hint 2</summary>Ranks 2 to 5 are four ranks and find r5 - r1 together. Ranks 6 to 10 are five ranks and find r10 - r5.</details>
# <details><summary>Hint 3</summary>(r1 &gt; r5) | (r5 &gt; r10) | ((r10 - r5) / 5 &gt; (r5 - r1) / 4); with NaN a comparison is False.</details>


# %% tags=["exercise"]
def suspicious(r1, r5, r10):
    # solution
    falls = (r1 > r5) | (r5 > r10)
    return falls | ((r10 - r5) / 5 > (r5 - r1) / 4)  # NaN compares as False: what is missing is not suspicious
    # end of solution


suspicious = exercises.suspicious.check(suspicious)

# %% [markdown]
# Your function now reads every row of both editions.
#
# **Question.** Before you run it: how many suspicious rows do you expect among a few hundred?

# %% tags=["nbval-check-output"]
names = ["edition", "dataset", "method", "note", "ensemble", "direction"]
both, counts = [itm.literature.results(year) for year in ("2020", "2025")], []
for table in both:
    wide = table.pivot_table(index=names, columns="metric", values="value", sort=False)
    odd = suspicious(*(torch.tensor(wide[metric].to_numpy()) for metric in ("R@1", "R@5", "R@10")))
    counts.append((len(wide), int(odd.sum())))
    print(f"{len(wide)} curves, {int(odd.sum())} suspicious: {[name[1:4] for name in wide.index[odd.numpy()]]}")

# %% tags=["answer"]
itm.show.answer(answers.suspicious_rows(counts))

# %% [markdown]
# Such a rule finds misprints, but no errors of measurement. The rows of 2WayNet satisfy both rules, and yet the course marks
# them as doubtful: the authors' public code counts ranks from 0 and tests `<= k`, so its R@1 includes two ranks. Only somebody who
# *reads or runs the code* can find this. These are all doubtful results, with the kind of doubt:

# %% tags=["nbval-check-output"]
doubts = itm.literature.corrections().query("doubtful")
for row in doubts[["method", "kind"]].drop_duplicates().itertuples():
    print(f"{row.method:<8} {row.kind}")

# %% [markdown]
# ### Look up a row
#
# Choose a data set and a measure, sort and filter the rows, and pick a row to see its paper and remarks. The names in the table
# are links to the papers, and the last column links to the chapter. Try *CUHK-PEDES*, and then the edition of 2025.
#
# **Question.** How many rows of the list have no year? What would you have to do to add the years?

# %%
figures.literature_explorer()

# %% tags=["answer"]
itm.show.answer(answers.rows_without_year(dataset))

# %% [markdown]
# ## Measure it: what caused the gains?
#
# From 2013 to 2018 the record rose by some sixty points. How much of this comes from the losses, how much from the interaction, and
# how much from the image backbone? A regression over all rows would give an answer, but a wrong one: the good ideas of 2018
# were published with the good backbones of 2018. *Pairs* are better evidence: two rows of one method on one data set that differ in one thing.
#
# ### Exercise 3 (15 minutes, ★★★): paired differences
#
# Each row has a `dataset`, a `method`, a `network` (0 or 1) and a `value`, all `[n_rows]`. Return the mean difference, the value with network 1
# minus the value with network 0, over all pairs of the same method on the same data set. Rows without a partner do not count.
#
# <details><summary>Hint 1</summary>Two rows are a pair if method and data set are equal and the networks are 0 and 1.</details>
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
# VGG against ResNet in the edition of 2025, R@1, computed in two ways: the mean of all ResNet rows minus the mean of all VGG rows, and
# your mean over pairs.
#
# **Question.** Before you run it: which of the two is larger, and why?

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
means = (value[network == 1].mean() - value[network == 0].mean()).item()
paired = paired_difference(where, method, network, value)
print(f"means: {means:+.1f}, pairs: {paired:+.1f}")

# %% tags=["answer"]
itm.show.answer(answers.careless_means(means, paired))

# %% [markdown]
# The next figure shows all such pairs that the survey's notes allow. A dot is a pair, the bar is the median.
#
# **Question.** Which difference is supported best? Do these dots show that losses matter little? Which rows would you *not* trust?

# %%
figures.ingredients()

# %% tags=["answer"]
itm.show.answer(answers.ingredients())

# %% [markdown]
# Chapters 02 and 03 do what no published table can: they train both variants with the same seeds and the same recipe.
# `itm.claims.results("vsepp")` keeps the results.
#
# ### Which paper builds on which
#
# Ideas often travel as code. The map contains only what could be checked in code, in papers or in the survey's notes. A missing
# arrow means that we did not check, and the height of a paper has no meaning.
#
# **Question.** Which papers have the most outgoing arrows? Three arrows pass on a mistake in place of an idea: which?

# %%
figures.who_follows_whom()

# %% tags=["answer"]
itm.show.answer(answers.descent())

# %% [markdown]
# ## Train it: add a row of your own
#
# `fit` knows nothing of leaderboards. A callback watches the epochs, and after the run it appends the best epoch as one line to a
# file. Here this is a temporary file, so that this chapter does not fill your own leaderboard with small runs of `bow`.

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
# Without `file=` the line goes to `runs/leaderboard.jsonl`, and so do the lines of `itm train` and `itm evaluate`. If you have
# such a file, the figure also shows its runs.
#
# **Question.** Below your bar the figure gives the reasons why your run cannot be compared with the papers. Which of them could you change,
# and which not?

# %%
if itm.in_course(board).exists():
    itm.leaderboard.merge([itm.in_course(board)], mine)
figures.leaderboard(
    "scenes", dataset if dataset in itm.leaderboard.STANDS_FOR["scenes"] else None, edition=edition, file=mine
)

# %% tags=["answer"]
itm.show.answer(answers.own_run(row))

# %% [markdown]
# ### Exercise 4 (10 minutes, ★): two leaderboards
#
# Students of a class send you their files. `mine` and `theirs` are `[n, 3]`: method, seed and rsum, all as numbers. Return each run once: first the
# runs of `mine` in their order, then the runs of `theirs` that are new. Rows with another rsum are other runs.
#
# <details><summary>Hint 1</summary>Two rows are the same run if all three numbers are equal.</details>
# <details><summary>Hint 2</summary>mine.tolist() gives rows as lists; tuple(row) can be a key of a dict, and a dict keeps its order.</details>
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
# This is the mistake that the chapter warns of. Imagine a hundred papers, ten per year, and **no progress at all**: each R@1 is
# drawn from the same normal distribution, with mean 50 and standard deviation 5.
#
# **Question.** Before you run it: what will the record of these papers do, and what will the median of each year do?

# %% tags=["nbval-check-output"]
generator = torch.Generator().manual_seed(0)
years, drawn = torch.arange(2011, 2021).repeat_interleave(10), 50 + 5 * torch.randn(100, generator=generator)
steps = record_by_year(years, drawn)
print("record:       ", [round(step) for step in steps.tolist()])
print("year's median:", [round(drawn[years == year].median().item()) for year in range(2011, 2021)])

# %% tags=["answer"]
itm.show.answer(answers.no_progress(years, drawn, steps))

# %% [markdown]
# ## The paper's numbers and yours
#
# One step of the record as its paper reported it, and below it what the kept runs of chapter 02 say about the same step.

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
# The two kinds of numbers are **not comparable**: the first is R@1 on photographs, the second a difference of rsum on drawings. But
# they answer different questions, and the second question is the one of interest. From UVSE to VSE++ with VGG the table shows a gain
# of fifteen to eighteen points, and *several* things changed. Our effect is that of one change, over several seeds, with its standard error.
#
# ## Quiz
#
# **1. The record on a data set has risen every year. What follows?**
#
# <details><summary>The field makes progress every year</summary>No: a running maximum also rises among random numbers, as you saw.</details>
# <details><summary>Nothing yet: compare whole years, not their best rows</summary>Yes. If the medians rise too, and by more than seeds differ, there is progress.</details>
# <details><summary>The data set is nearly solved</summary>No: how far a result is from the ceiling is another question, for which you need the ceiling.</details>
#
# **2. A row has R@1 40, R@5 38, R@10 70. What do you do with it?**
#
# <details><summary>Mark it as doubtful and keep what was printed</summary>Yes. R@5 cannot be below R@1, and the table does not say which of the two is wrong.</details>
# <details><summary>Replace 38 by 58, surely a misprint</summary>No: afterwards nobody can distinguish your guess from a measurement.</details>
# <details><summary>Drop the paper</summary>No: the other results may be right, and nobody can check a row that is gone.</details>
#
# **3. VSE++ with ResNet is twelve points better than VSE++ with VGG. What may you say?**
#
# <details><summary>A ResNet adds twelve points</summary>No: it did for this method on this data set; over ten methods the gain ranges from one to eighteen points.</details>
# <details><summary>The loss of VSE++ adds twelve points</summary>No: the loss is the same in both rows, which makes them a pair.</details>
# <details><summary>In this pair, the backbone and whatever changed with it added twelve points</summary>Yes. The note does not say what changed with it, such as fine-tuning.</details>
#
# **4. Why are there so few pairs for losses?**
#
# <details><summary>Losses have little effect, so nobody reports them</summary>No: how often an effect was measured does not tell you its size.</details>
# <details><summary>Authors of a loss seldom train another network with it, and the survey lists main results only</summary>Yes. The ablations are in the papers themselves, and the survey leaves them out.</details>
# <details><summary>A loss cannot be changed without changing the network</summary>No: here the loss is a single option, as chapter 02 showed.</details>
#
# **5. Your run has R@1 52 on drawn scenes; VSE++ has 39.6 on Flickr30K. Which model is better?**
#
# <details><summary>Yours, since 52 is more</summary>No: the data set, the number of images and the kind of sentences differ.</details>
# <details><summary>VSE++, since photographs are harder</summary>No: they may be harder, but two numbers do not tell by how much.</details>
# <details><summary>Nobody can know, and the leaderboard gives the reasons</summary>Yes. Train both on the same corpus, and compare them over several seeds.</details>
#
# ## Recap
#
# - A record is a running maximum, so it rises even if there is no progress; the median of each year is better evidence.
# - Recall cannot fall as k grows, and this rule finds misprints; a result that may be wrong is marked and never corrected by guess.
# - Some mistakes of measurement can be found only in the code, such as ranks that are counted from 0.
# - Two rows show the effect of one change only if they are a pair, and even a pair may hide a second change.
# - Your own run can be compared with a published row only on the same data, the same split and over several seeds.
#
# ## Where to go next
#
# - Choose *CUHK-PEDES* in the browser of rows above: papers report only one direction there. Why would the police search an archive by text alone?
# - `itm.literature.bibtex("lee2018scan")` gives an entry for your thesis; the [bibliography](../docs/bibliography.md) lists every paper with its links.
# - Run `itm train scan` and open this chapter again: the run is on your leaderboard. `itm leaderboard --merge` merges the files of a class.
