/*
 * flow/sqlcache.h: what DuckDB's parser said of texts, by their hash: .leat/cache/sql, so that a query that comes back
 * (edited and edited back, or one per ds) is not parsed again. It may be deleted at any time. Lines of text, only
 * added to; a line that is damaged or torn is as good as none; begun anew when larger than SQLCACHE_MAX.
 */
#ifndef LEAT_FLOW_SQLCACHE_H
#define LEAT_FLOW_SQLCACHE_H

#include "db/duck.h"

#define SQLCACHE_MAX ((size_t)64 << 20)

struct sqlcache;

/* Lives in the arena. Reads the file at the first look-up. leat_dir is absolute. */
struct sqlcache *sqlcache_new(struct arena *a, const char *leat_dir);

/*
 * The parse results of texts (what sql_info_read reads), from the cache, the unknown ones in one call of the worker.
 * out[i] belongs to texts[i], in the arena of the cache.
 */
must_check int sqlcache_parse(struct sqlcache *c, struct duck *duck, const struct str *texts, size_t n,
                              const struct dom **out, struct err *e);

#endif
