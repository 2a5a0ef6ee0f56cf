#include "api/import.h"
#include "base/name.h"
#include "fuzz.h"

/* Files of other systems: the first byte says which one. What is read is named well and within its limits. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct arena *a cleanup(arena_cleanup) = arena_new();
	struct import im = {.a = a};
	struct import_job *one;
	struct err e = ERR_INIT;
	struct str text;
	int rc;

	if (!n)
		return 0;
	map_init(&im.by_name, a);
	text = arena_str(a, (struct str){(const char *)data + 1, n - 1});
	switch (data[0]) {
	case 'c':
		rc = import_cron(&im, text, "tab", &e);
		break;
	case 'd':
		rc = import_dagu(&im, text, "dag.yaml", &e);
		break;
	case 'a':
		rc = import_airflow(&im, text, "dag.py", &e);
		break;
	case 's':
		rc = import_dsflow_specs(&im, text, "job_specs.yaml", NULL, (struct str){"j", 1}, &one, &e);
		break;
	default:
		rc = import_dsflow_dag(&im, text, "dag_specs.yaml", NULL, (struct str){"j", 1}, &e);
	}
	fuzz_answered(rc, &e);
	FUZZ_HOLDS(im.all.n <= IMPORT_MAX_JOBS && im.notes.n <= IMPORT_MAX_NOTES);
	for (size_t i = 0; i < im.all.n; i++)
		FUZZ_HOLDS(im.all.p[i]->name.n && !name_check_job(im.all.p[i]->name, &e));
	return 0;
}
