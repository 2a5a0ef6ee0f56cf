/* flow/graph: order, pipelines, and what cannot be. */
#include "flow/graph.h"
#include "ws.h"

static void job(const char *name, const char *keys)
{
	ws_put(arena_printf(ws_arena, "jobs/%s/job.yaml", name), keys);
	ws_put(arena_printf(ws_arena, "jobs/%s/job.sh", name), "true\n");
}

static struct jobs *loaded;

static int make(struct graph **g, struct err *e)
{
	*e = (struct err)ERR_INIT;
	jobs_free(loaded);
	loaded = ws_load();
	if (loaded->n_errors)
		t_diag("broken job", loaded->errors[0]->msg);
	return graph_make(ws_arena, loaded, g, e);
}

static const char *names(const struct job **list, size_t n)
{
	struct buf b = BUF_INIT(10000);
	const char *out;

	for (size_t i = 0; i < n; i++)
		buf_addf(&b, "%s%s", i ? " " : "", list[i]->name.p);
	out = arena_dup(ws_arena, b.p);
	buf_free(&b);
	return out;
}

static void order(void)
{
	struct graph *g;
	struct err e;
	const struct job **list;
	size_t n;

	job("a", "{inputs: [tables/z, raw/src], output: marts/a, pipeline: p}");
	job("b", "{inputs: [raw/src], output: tables/b}");
	job("m", "{inputs: [marts/a, tables/b, tables/z], output: marts/m, pipeline: p}");
	job("z", "{inputs: [raw/src], output: tables/z, pipeline: q}");
	job("w", "{inputs: {old: marts/m@abcd1234}, output: marts/w}");
	job("s", "{partition: daily, inputs: {me: {repo: marts/s, window: [-1, -1]}}, output: marts/s}");
	if (!T_NO_ERR(make(&g, &e), &e, "jobs that read each other make a graph"))
		return;
	T_STR(names(g->order, g->n), "z a b m s w", "upstream comes first, then the name decides");
	T_STR(graph_producer(g, STR("tables/z"))->name.p, "z", "the producer of a repo is known");
	T_OK(!graph_producer(g, STR("raw/src")), "a source has no producer");
	T_INT(graph_node(g, jobs_get(loaded, STR("m")))->n_up, 3, "a job knows what is above it");
	T_INT(graph_node(g, jobs_get(loaded, STR("z")))->n_down, 2, "and below it");
	T_INT(graph_node(g, jobs_get(loaded, STR("w")))->n_up, 0, "a pin stands still: no edge");
	T_INT(graph_node(g, jobs_get(loaded, STR("s")))->n_up, 0, "a job may read its own earlier partitions");
	list = graph_ancestors(g, ws_arena, jobs_get(loaded, STR("m")), &n);
	T_STR(names(list, n), "z a b m", "all above a job, in order");
	list = graph_descendants(g, ws_arena, jobs_get(loaded, STR("z")), &n);
	T_STR(names(list, n), "z a m", "all below a job, in order");
	T_INT(g->n_pipelines, 2, "there are two pipelines");
	T_STR(g->pipelines[0].name.p, "p", "they come by name");
	T_STR(names(g->pipelines[0].jobs, g->pipelines[0].n), "a m", "with their jobs in order");
	ws_clear();
}

static void refused(void)
{
	struct graph *g;
	struct err e;

	job("a", "{inputs: [tables/c], output: tables/a}");
	job("b", "{inputs: [tables/a], output: tables/b}");
	job("c", "inputs:\n  x: tables/b\noutput: tables/c\n");
	job("d", "{inputs: [tables/c], output: tables/d}");
	T_OK(make(&g, &e) == -1, "a circle is refused");
	T_ERR(&e, ERR_BAD_CONFIG,
	      "jobs read each other in a circle: a (jobs/a/job.yaml) reads tables/c of c, "
	      "c (jobs/c/job.yaml) reads tables/b of b, "
	      "b (jobs/b/job.yaml) reads tables/a of a",
	      "it is printed whole, with files");
	T_ERR(&e, ERR_BAD_CONFIG, "jobs/a/job.yaml:1:11:", "at the place of an input");
	ws_clear();
	job("a", "{inputs: [tables/a], output: tables/a}");
	T_OK(make(&g, &e) == -1, "a job that reads its own output is refused");
	T_ERR(&e, ERR_BAD_CONFIG, "a job reads its own output: a (jobs/a/job.yaml) reads tables/a", "and named");
	ws_clear();
	job("a", "{output: tables/x}");
	job("b", "{output: tables/x}");
	T_OK(make(&g, &e) == -1, "two jobs with one output are refused");
	T_ERR(&e, ERR_BAD_CONFIG,
	      "jobs/b/job.yaml:1:10: two jobs write tables/x: a (jobs/a/job.yaml) and b (jobs/b/job.yaml)",
	      "and both are named");
	ws_clear();
	job("a", "{output: tables/x}");
	job("b", "{output: tables/x/y}");
	T_OK(make(&g, &e) == -1, "an output inside another output is refused");
	T_ERR(&e, ERR_BAD_CONFIG,
	      "jobs/b/job.yaml:1:10: the repo tables/x/y would lie inside the repo tables/x, which job a writes",
	      "and both are named");
	ws_clear();
	job("a", "{inputs: [raw], output: raw/x}");
	T_OK(make(&g, &e) == -1, "an output inside an input is refused");
	ws_clear();
	job("a", "{inputs: [raw/a, raw/a/b], output: tables/x}");
	T_NO_ERR(make(&g, &e), &e, "two sources are the store's to judge");
	ws_clear();
	job("a", "{output: tables/x}");
	job("b", "{inputs: [Tables/x], output: tables/y}");
	T_OK(make(&g, &e) == -1, "names equal but for case are refused");
	T_ERR(&e, ERR_BAD_CONFIG, "Tables/x and tables/x are equal but for case", "and named");
	ws_clear();
}

static void long_chain(void)
{
	struct graph *g;
	struct err e;

	for (int i = 0; i < 300; i++)
		job(arena_printf(ws_arena, "j%03d", 299 - i),
		    arena_printf(ws_arena, "{inputs: [t/%03d], output: t/%03d}", i, i + 1));
	T_NO_ERR(make(&g, &e), &e, "a long chain makes a graph");
	T_STR(g->order[0]->name.p, "j299", "its first job comes first");
	T_STR(g->order[299]->name.p, "j000", "its last job comes last");
	ws_clear();
}

int main(void)
{
	ws_begin();
	order();
	refused();
	long_chain();
	jobs_free(loaded);
	ws_end();
	return t_done();
}
