#include "flow/report.h"

#include "base/str.h"
#include "flow/datum.h"
#include "flow/flow.h"
#include "repo/overlay.h"

#define ID_SHOWN 12

struct str report_repo(struct arena *a, const struct job *j)
{
	return arena_strf(a, REPORT_ROOT "/%.*s", STR_ARG(j->name));
}

struct str report_job(struct str repo)
{
	struct str root = STR(REPORT_ROOT "/");

	return str_has_prefix(repo, root) ? str_sub(repo, root.n, repo.n) : STR_NULL;
}

const char *report_folder(struct arena *a, const struct attempt *t)
{
	char hex[SHA_HEX + 1];

	if (!t->datum)
		return t->ds.label[0] ? arena_printf(a, "ds=%s", t->ds.label) : "";
	sha_hex(&t->datum->id, hex);
	return arena_printf(a, "unit=%.*s", ID_SHOWN, hex);
}

const char *report_place(struct attempt *t, const char *file)
{
	const char *folder = report_folder(t->arena, t);
	struct str repo = report_repo(t->arena, t->job);
	const char *slash = *folder ? "/" : "";

	if (t->flow->store->on) /* datastore/ shows master */
		return arena_printf(t->arena, "%.*s:/%s%s%s", STR_ARG(repo), folder, slash, file);
	return arena_printf(t->arena, "datastore/%.*s/%s%s%s", STR_ARG(repo), folder, slash, file);
}
