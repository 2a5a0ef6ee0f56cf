/*
 * flow/jobcache.h: what the files of jobs held when they were last read: .leat/cache/jobs, so that loading ten
 * thousand jobs is one read and a stat per file. It may be deleted at any time; a cache that is damaged, of another
 * version of leat or of other tables of keys is as good as none. Written by rename; not being able to write it is no
 * error.
 *
 * An entry stands for one folder or file that may be a job. It is good as long as no file or folder that it was made
 * from has another stat. What was changed within JOBCACHE_RACY_NS of being read is not trusted next time (SEMANTICS 6).
 */
#ifndef LEAT_FLOW_JOBCACHE_H
#define LEAT_FLOW_JOBCACHE_H

#include "flow/job.h"
#include "sys/file.h"

#define JOBCACHE_RACY_NS 20000000

struct job_node {
	struct str path;     /* from the workspace; a C string */
	struct file_key key; /* all zero: not to be trusted */
};

struct job_entry {
	struct str path;     /* "jobs/trips", "jobs/trips.sql" */
	VEC(struct job_node) nodes;
	struct job *job;     /* NULL: it is no job */
	struct str body;     /* its encoded form, if it came from the cache and has not changed; else empty */
};

/* Reads the cache into js->cache; an absent or damaged one is empty. */
void jobcache_open(struct jobs *js);
/*
 * The entry of that path, if all its files stand as they did; its job is then decoded but for its kind and tz. NULL
 * otherwise.
 */
struct job_entry *jobcache_get(struct jobs *js, struct str path);
/*
 * A new entry for a path, whose nodes are to be added before the files are read; jobcache_keep makes it part of the
 * cache.
 */
struct job_entry *jobcache_new(struct jobs *js, struct str path);
/* Takes the stat of a path (following links) into the entry: 0, or -1 if it is not there (errno). *st may be NULL. */
int jobcache_node(struct jobs *js, struct job_entry *en, struct str path, struct stat *st);
void jobcache_keep(struct jobs *js, struct job_entry *en);
/* The job's entry has to be written anew (its meaning became known). */
void jobcache_changed(struct jobs *js, const struct job *j);
/* All that is there has been looked at. */
void jobcache_loaded(struct jobs *js);
/*
 * All that the job's files say, as it stands in the cache, for who remembers what followed from it; empty where it was
 * read anew in this process. jobcache_id: what it was read by (keys, kinds, the parser of queries).
 */
struct str jobcache_body(const struct job *j);
struct sha jobcache_id(const struct jobs *js);
/* Makes j->doc of j->doc_packed. */
void jobcache_unpack_doc(struct job *j);
/* Writes the cache, if something in it is new or gone. */
void jobcache_save(struct jobs *js);

#endif
