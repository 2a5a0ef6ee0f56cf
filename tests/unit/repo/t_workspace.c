/* repo/workspace: found, read, overridden, and its faults with their places. */
#include <unistd.h>

#include "base/str.h"
#include "repo/workspace.h"
#include "sys/file.h"
#include "t.h"

static char dir[] = "/tmp/leat-unit-XXXXXX";
static struct arena *arena;

static void put(const char *path, const char *text)
{
	struct err e = ERR_INIT;
	char *full = path_join(arena, dir, path);

	if (dir_make_parent(full, 0777, &e) || file_write(full, str_of(text), 0644, 0, &e))
		exit(1);
}

static int opened(const char *yaml, struct workspace **w, struct err *e)
{
	*e = (struct err)ERR_INIT;
	put("leat.yaml", yaml);
	return workspace_open(dir, w, e);
}

static void finding(void)
{
	struct err e = ERR_INIT;
	char *found = NULL, *real = realpath(dir, NULL);

	put("leat.yaml", "name: x\n");
	put("a/b/c.txt", "");
	put("bare/x", "");
	T_NO_ERR(workspace_find(path_join(arena, dir, "a/b"), arena, &found, &e), &e,
		 "a workspace is found from below");
	T_STR(found, dir, "it is the folder with leat.yaml");
	T_OK(workspace_find("/", arena, &found, &e) == -1, "where there is none, none is found");
	T_ERR(&e, ERR_NO_WORKSPACE, "leat init", "and the remedy is named");
	setenv("LEAT_WORKSPACE", dir, 1);
	T_NO_ERR(workspace_find(NULL, arena, &found, &e), &e, "LEAT_WORKSPACE names it");
	T_STR(found, dir, "that folder itself");
	setenv("LEAT_WORKSPACE", path_join(arena, dir, "bare"), 1);
	err_clear(&e);
	T_OK(workspace_find(NULL, arena, &found, &e) == -1, "a folder that LEAT_WORKSPACE names must be one");
	T_ERR(&e, ERR_NO_WORKSPACE, "LEAT_WORKSPACE names", "and the variable is named");
	unsetenv("LEAT_WORKSPACE");
	if (chdir(path_join(arena, dir, "a")))
		exit(1);
	T_NO_ERR(workspace_find(NULL, arena, &found, &e), &e, "else it is found from the current folder");
	T_STR(found, real, "upwards");
	free(real);
}

static void settings(void)
{
	struct workspace *w;
	struct err e;

	if (!T_NO_ERR(opened("", &w, &e), &e, "an empty leat.yaml will do"))
		return;
	T_STR(tz_name(w->tz), "UTC", "the zone is UTC unless said");
	T_INT(w->n_zones, 3, "there are three zones unless said");
	T_OK(w->durable_power && w->protect == PROTECT_AUTO && w->slots >= 1, "the other defaults hold");
	T_STR(workspace_setting(w, "memo_keep")->s.p, "30d", "a default is given by its name");
	T_OK(!workspace_setting(w, "pools.pg") && !workspace_setting(w, "path"), "what has no default is none");
	T_INT(workspace_table_kind(w, STR("tables/dim_shops")), TABLE_DIM, "dim_ makes a dimension");
	T_INT(workspace_table_kind(w, STR("fct_sales")), TABLE_FCT, "fct_ makes a fact table");
	T_INT(workspace_table_kind(w, STR("dim_/sales")), TABLE_PLAIN, "by the last part of the name");
	workspace_close(w);
	T_NO_ERR(opened("name: shop\r\ntimezone: Europe/Paris\r\nzones: [bronze, gold]\r\nslots: 2\r\nprotect: link\r\n"
	                "durability: process\r\npools: {pg: 2}\r\ntables:\r\n  tables/shops: dim\r\n"
	                "  tables/dim_x: {kind: plain, columns: {a: integer}}\r\n",
	                &w, &e),
	         &e, "every setting may be said, with line ends of Windows");
	T_STR(tz_name(w->tz), "Europe/Paris", "the zone");
	T_STR(arena_cstr(arena, w->zones[1]), "gold", "the zones");
	T_INT(w->slots, 2, "the slots");
	T_OK(!w->durable_power && w->protect == PROTECT_LINK, "durability and protection");
	T_INT(workspace_setting(w, "pools.pg")->i, 2, "a pool by its dotted name");
	T_INT(workspace_table_kind(w, STR("tables/shops")), TABLE_DIM, "leat.yaml says what a table is");
	T_INT(workspace_table_kind(w, STR("tables/dim_x")), TABLE_PLAIN, "against its name too");
	T_STR(dom_path(workspace_table(w, STR("tables/dim_x")), "columns.a")->s.p, "integer", "with more in a map");
	workspace_close(w);
}

static void overrides(void)
{
	struct workspace *w;
	struct err e;
	struct sha before;

	T_NO_ERR(opened("slots: 2\npools: {pg: 2}\n", &w, &e), &e, "a workspace opens");
	before = *w->yaml_id;
	workspace_close(w);
	setenv("LEAT__SLOTS", "7", 1);
	setenv("LEAT__POOLS__PG", "5", 1);
	setenv("LEAT__POOLS__GPU", "1", 1);
	setenv("LEAT__ZONES", "[a, b]", 1);
	setenv("LEAT__NAME", "a: b", 1);
	if (T_NO_ERR(opened("slots: 2\npools: {pg: 2}\n", &w, &e), &e, "the environment overrides settings")) {
		T_INT(w->slots, 7, "a setting of the file");
		T_INT(workspace_setting(w, "pools.pg")->i, 5, "one in a section");
		T_INT(workspace_setting(w, "pools.gpu")->i, 1, "one that the file does not have");
		T_INT(w->n_zones, 2, "a list in brackets");
		T_STR(workspace_setting(w, "name")->s.p, "a: b", "text stays text");
		T_OK(!sha_eq(&before, w->yaml_id), "the settings have another id");
		workspace_close(w);
	}
	setenv("LEAT__SLOTS", "many", 1);
	T_OK(opened("", &w, &e) == -1, "a wrong override is refused");
	T_ERR(&e, ERR_BAD_CONFIG, "the environment variable LEAT__SLOTS: \"slots\" must be a whole number",
	      "and named");
	unsetenv("LEAT__SLOTS");
	setenv("LEAT__SLOTTS", "3", 1);
	T_OK(opened("", &w, &e) == -1, "an unknown override is refused");
	T_ERR(&e, ERR_BAD_CONFIG, "did you mean \"slots\"", "with the nearest key");
	unsetenv("LEAT__SLOTTS");
	unsetenv("LEAT__POOLS__PG");
	unsetenv("LEAT__POOLS__GPU");
	unsetenv("LEAT__ZONES");
	unsetenv("LEAT__NAME");
}

static void faults(void)
{
	static const char *const bad[][2] = {
		{"slotts: 2\n", "leat.yaml:1:1: unknown key \"slotts\" (did you mean \"slots\"?)"},
		{"slots: 0\n", "leat.yaml:1:8: \"slots\" cannot be \"0\""},
		{"name: a\nprotect: copy\n", "leat.yaml:2:10: \"protect\" cannot be \"copy\" (there are: auto, link)"},
		{"timezone: Europe/Pari\n", "leat.yaml:1:11: \"timezone\" cannot be \"Europe/Pari\""},
		{"tables: {tables/x: dimm}\n",
			"leat.yaml:1:20: \"tables/x\" cannot be \"dimm\" (did you mean \"dim\"?)"},
		{"tables: {tables/x: {kinds: dim}}\n", "leat.yaml:1:21: unknown key \"kinds\""},
		{"zones: [a b]\n", "leat.yaml:1:9: \"zones\" cannot be \"a b\""},
		{"- a\n", "leat.yaml:1:1: leat.yaml must be a map of keys"},
		{"a: [\n", "leat.yaml:"},
	};
	struct workspace *w;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		T_OK(opened(bad[i][0], &w, &e) == -1, "fault %zu is refused", i);
		T_ERR(&e, ERR_BAD_CONFIG, bad[i][1], "fault %zu is named at its place", i);
	}
	T_OK(opened("tables: {tables//x: dim}\n", &w, &e) == -1, "a table that is no repo's name is refused");
	T_ERR(&e, ERR_BAD_NAME, "leat.yaml:1:10: tables: \"tables//x\"", "at its place");
}

int main(void)
{
	arena = arena_new();
	if (!mkdtemp(dir))
		return 1;
	finding();
	settings();
	overrides();
	faults();
	struct err e = ERR_INIT;
	if (chdir("/") || dir_remove_tree(dir, &e))
		return 1;
	arena_free(arena);
	return t_done();
}
