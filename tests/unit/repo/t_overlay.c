/* Workspace branches: what is read on one, its first write, its end. */
#include "store_fixture.h"

#include "repo/refs.h"

static struct store *s;
static struct err e;

static struct overlay make(const char *name, bool freeze)
{
	struct overlay o = {0};

	T_OK(!db_begin(s->db, &e) && !overlay_make(s, fx_arena, str_of(name), freeze, &o, &e) && !db_commit(s->db, &e),
	     "the workspace branch %s is made", name);
	return o;
}

/* The head of a plain name, as text: its number, 0 for none. */
static int64_t head(const char *repo)
{
	struct pin pin;

	err_clear(&e);
	return pin_resolve(s, fx_arena, str_of(repo), &pin, &e) ? -1 : pin.has_commit ? pin.commit.number : 0;
}

static void on(const char *name)
{
	T_OK(!overlay_use(s, fx_arena, str_of(name), &e), "on %s", name);
}

/* A commit on the branch that the handle is on. */
static void put(const char *repo, const char *file)
{
	T_OK(!fx_commit_as(str_of(repo), REPO_SOURCE, NULL, &e, file, (char *)NULL), "a put into %s@%.*s", repo,
	     STR_ARG(store_branch(s)));
}

static void refused(const char *name, const char *why)
{
	struct overlay o;

	err_clear(&e);
	T_OK(!db_begin(s->db, &e), "begin");
	T_INT(overlay_make(s, fx_arena, str_of(name), false, &o, &e), -1, "%s cannot be made", name);
	db_rollback(s->db);
	T_ERR(&e, e.code == ERR_BAD_NAME ? ERR_BAD_NAME : ERR_REFUSED, why, "and why is said");
}

static void reading(void)
{
	put("raw/a", "x:1");
	put("raw/b", "x:1");
	make("fix", false);
	make("ice", true);
	put("raw/a", "x:2");
	on("fix");
	T_INT(head("raw/a"), 2, "a repo that it has not written is read at master as it moves");
	on("ice");
	T_INT(head("raw/a"), 1, "and at what master was, on a frozen one");
	T_INT(head("raw/a@master"), 2, "@master is master");
	on("master");
	T_INT(head("raw/a@ice"), 1, "@NAME reads as on it");
	refused("fix", "already");
	refused("master", "every repo");
	refused("a b", "a b");
}

static void writing(void)
{
	on("fix");
	put("raw/a", "y:1");
	T_INT(head("raw/a"), 3, "the first write goes on from master's head");
	T_INT(head("raw/a@master"), 2, "which stays");
	put("raw/new", "y:1");
	T_INT(head("raw/new"), 1, "a repo can be made on it");
	on("master");
	T_INT(head("raw/new"), -1, "and is not there on master");
	put("raw/a", "z:1");
	on("fix");
	T_INT(fx_number("select count(*) from workspace_base w join commits c on c.repo = w.repo and c.id = w.base"
	             " where state = 'written' and c.number = 2"),
	      1, "the base is what master was then");
	on("ice");
	T_INT(head("raw/new"), -1, "nor on another branch");
	put("raw/a", "q:1");
	T_INT(head("raw/a"), 2, "a frozen one goes on from where it was frozen");
	on("master");
	T_INT(head("raw/a"), 3, "master has its own");
}

static void ending(void)
{
	struct overlay o = {0};
	int64_t commits = fx_number("select count(*) from commits");

	T_INT(overlay_find(s, fx_arena, STR("fix"), &o, &e), 1, "it is there");
	T_OK(!db_begin(s->db, &e) && !overlay_end(s, &o, "deleted", id_new(), &e) && !db_commit(s->db, &e), "it ends");
	T_INT(fx_number("select count(*) from commits"), commits - 2, "its two commits have gone");
	T_INT(fx_number("select count(*) from repo where ended is not null"), 1, "and the repo that only it had");
	T_INT(fx_number("select count(*) from branch where name = 'fix'"), 0, "and its branches");
	T_INT(fx_number("select count(*) from workspace_base where branch = 1"), 0, "and its bases");
	T_INT(head("raw/a@ice"), 2, "the other one is as it was");
	T_INT(overlay_use(s, fx_arena, STR("fix"), &e), -1, "nobody can be on it");
	T_ERR(&e, ERR_NOT_FOUND, "no workspace branch fix", "and is told");
	err_clear(&e);
	make("fix", false);
}

int main(void)
{
	fx_begin();
	s = fx_store;
	reading();
	writing();
	ending();
	return fx_end();
}
