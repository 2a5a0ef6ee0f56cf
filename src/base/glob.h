/*
 * base/glob.h: path globs: * ? [..] [!..] {a,b} ** @( ) +( ) *( ) ?( ) !( ), quoting with \. `*` and `?` stop at '/'.
 * Works on bytes that are UTF-8 (one `?` is one character). Time is bounded: pattern × path, without !( ); with it,
 * pattern × path × the longest name in the path. A `/` at the front of a pattern is dropped; paths are in the form that
 * name_path gives. Where a folder may stand, `**` and the '/' behind it stand for any number of folders, none included.
 * [..] knows ranges, ! or ^ in front, [:alpha:] and its like, and never means '/'. A dot at the front is a character
 * as any other. ERR_BAD_REQUEST with the byte of the pattern as column if it is wrong.
 */
#ifndef LEAT_BASE_GLOB_H
#define LEAT_BASE_GLOB_H

#include "base/arena.h"
#include "base/err.h"

#define GLOB_MAX_PATTERN 4096
#define GLOB_MAX_DEPTH 32

struct glob;
must_check int glob_compile(struct arena *a, struct str pattern, struct glob **out, struct err *e);
bool glob_match(const struct glob *g, struct str path);
/*
 * The pattern of a job: ( ) is a group too, of alternatives like @( ), and every group of round brackets captures, in
 * the order of the opening ones.
 */
must_check int glob_compile_groups(struct arena *a, struct str pattern, struct glob **out, struct err *e);
size_t glob_groups(const struct glob *g); /* 0 of one from glob_compile */
/*
 * What the groups of a path that matches caught: into out, one per group (as many as glob_groups says), pointing into
 * path; "" of one that took no part, all turns of +( ) and *( ), the last one of what is in them. As a regular
 * expression would: each part takes as much as it can, from the left. Time is bounded by pattern × path. False: no.
 */
bool glob_capture(const struct glob *g, struct str path, struct str *out);
bool glob_has_magic(struct str pattern);
/* The longest folder that every match lies in ("a/b" of "a/b/c*"), so that a walk need not start at the root. */
struct str glob_fixed_prefix(const struct glob *g);

/*
 * A walk over folders: what the path of a folder has matched so far, so that each entry in it costs its name alone, and
 * a folder that no match lies in is not opened. The answers are those of glob_match.
 */
struct glob_at {
	uint64_t alive; /* states of the pattern, if they are few */
};
struct glob_at glob_root(const struct glob *g);
/* `path`: of an entry of the folder that *at stands for; the entry's own name begins at byte `name`. */
bool glob_here(const struct glob *g, const struct glob_at *at, struct str path, size_t name);
/* Whether a match can lie below that entry, a folder; then *below stands for it. */
bool glob_into(const struct glob *g, const struct glob_at *at, struct str path, size_t name, struct glob_at *below);
/*
 * What the name of every entry begins with that is, or leads to, a match in the folder *at, whose path with its '/' has
 * `path_n` bytes: into out (cap bytes; cut there), its length. *whole: the name is that and goes on no further.
 */
size_t glob_names_begin(const struct glob *g, const struct glob_at *at, size_t path_n, char *out, size_t cap,
                        bool *whole);

#endif
