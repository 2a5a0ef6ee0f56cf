#include "api/query.h"
#include "base/str.h"
#include "db/sql.h"

bool query_asks_tables(struct str sql)
{
	sql = str_trim(sql);
	while (sql.n && sql.p[sql.n - 1] == ';')
		sql = str_trim(str_sub(sql, 0, sql.n - 1));
	return sql.n == strlen("show tables") && !strncasecmp(sql.p, "show tables", sql.n);
}

static bool plain_word(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!(s.p[i] == '_' || (s.p[i] >= 'a' && s.p[i] <= 'z') || (i && s.p[i] >= '0' && s.p[i] <= '9')))
			return false;
	return s.n;
}

int query_list_tables(struct api *api, struct str *sql, struct err *e)
{
	struct buf b = BUF_INIT(SQL_MAX_TEXT);
	struct repo *repos;
	size_t n, shown = 0;
	int rc = 0;

	if (repo_list(api->store, api->arena, &repos, &n, e))
		return -1;
	buf_adds(&b, "select name from (values ");
	for (size_t i = 0; i < n; i++) {
		struct str zone, rest;

		if (repos[i].role == REPO_SYSTEM)
			continue;
		if (!str_cut(repos[i].name, '/', &zone, &rest)) {
			zone = STR_NULL;
			rest = repos[i].name;
		}
		buf_addf(&b, plain_word(rest) ? "%s('%.*s%s%.*s')" : "%s('%.*s%s\"%.*s\"')", shown++ ? ", " : "",
		         STR_ARG(zone), zone.p ? "." : "", STR_ARG(rest));
	}
	buf_adds(&b, shown ? ") t(name)" : "('')) t(name) limit 0");
	if (buf_over(&b))
		rc = err_set(e, ERR_LIMIT, "there are too many tables to list");
	*sql = arena_str(api->arena, buf_str(&b));
	buf_free(&b);
	return rc;
}
