/* The tables of leat.db: the steps from each format to the next. */
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "db/db_in.h"

static const struct {
	int version;
	const char *sql;
} migrations[] = {
#define M(version, ...) {version, __VA_ARGS__},
#include "defs/migrations.def"
#undef M
};

static const struct {
	const char *mark, *sql;
} sets[DB_SETS] = {
	[DB_SET_DATA] = {"datum_in",
#include "defs/data_tables.def"
	},
	[DB_SET_BRANCHES] = {"current_on",
#include "defs/branch_tables.def"
	},
	[DB_SET_RUNS] = {"exported",
#include "defs/run_tables.def"
	},
	[DB_SET_TIME] = {"job_pause",
#include "defs/time_tables.def"
	},
	[DB_SET_WATCH] = {"change",
#include "defs/watch_tables.def"
	},
	[DB_SET_MOVED] = {"moved",
#include "defs/moved_tables.def"
	},
	[DB_SET_LINEAGE] = {"lineage",
#include "defs/lineage_tables.def"
	},
};

int db_schema_set(sqlite3 *h, enum db_set set)
{
	return sqlite3_exec(h, sets[set].sql, NULL, NULL, NULL);
}

const char *db_schema_mark(enum db_set set)
{
	return sets[set].mark;
}

int db_schema(sqlite3 *h, int version, unsigned with)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < ARRAY_LEN(migrations) && migrations[i].version <= version; i++)
		rc = sqlite3_exec(h, migrations[i].sql, NULL, NULL, NULL);
	for (unsigned i = 0; !rc && i < DB_SETS; i++)
		if (with & 1u << i)
			rc = db_schema_set(h, (enum db_set)i);
	return rc;
}

int db_schema_latest(void)
{
	return migrations[ARRAY_LEN(migrations) - 1].version;
}

int db_schema_raise(sqlite3 *h, int have, int *at)
{
	char sql[64];
	int rc = 0;

	for (size_t i = 0; !rc && i < ARRAY_LEN(migrations); i++) {
		if (migrations[i].version <= have)
			continue;
		*at = migrations[i].version;
		snprintf(sql, sizeof(sql), "pragma user_version = %d", *at);
		rc = sqlite3_exec(h, migrations[i].sql, NULL, NULL, NULL);
		if (!rc)
			rc = sqlite3_exec(h, sql, NULL, NULL, NULL);
	}
	return rc;
}

static int add_delete(void *ptr, int n, char **cells, char **names)
{
	buf_addf(ptr, "delete from \"%s\";", cells[0]);
	return 0;
}

int db_empty(struct db *d, struct err *e)
{
	struct buf b cleanup(buf_free) = BUF_INIT(1 << 20);
	sqlite3 *h = db_handle(d);
	int rc = sqlite3_exec(h, "select name from sqlite_master where type = 'table' and name <> 'store'"
	                         " and name not like 'sqlite\\_%' escape '\\'",
	                      add_delete, &b, NULL);

	if (!rc) {
		buf_addc(&b, '\0');
		rc = sqlite3_exec(h, b.p, NULL, NULL, NULL);
	}
	return rc ? err_set(e, ERR_IO, "%s cannot be emptied: %s", db_path(d), sqlite3_errmsg(h)) : 0;
}

bool db_schema_names(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(migrations); i++)
		for (const char *at = migrations[i].sql; *name && (at = strstr(at, name)); at++) {
			char after = at[strlen(name)];

			if ((at[-1] == ' ' || at[-1] == '(') && (after == '(' || after == ' '))
				return true;
		}
	return false;
}
