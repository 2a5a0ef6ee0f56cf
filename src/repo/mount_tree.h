/*
 * repo/mount_tree.h: what a mount shows, as nodes with a count of the kernel's references. For mount.c; no FUSE here.
 */
#ifndef LEAT_REPO_MOUNT_TREE_H
#define LEAT_REPO_MOUNT_TREE_H

#include <sys/stat.h>

#include "repo/commit.h"

enum node_kind { NODE_ZONE, NODE_FOLDER, NODE_FILE };

struct mount_tree;
struct mount_root;

struct node {
	enum node_kind kind;
	uint64_t ino;     /* what stat shows: from commit and path, so the same in every mount */
	uint64_t lookups; /* the kernel's references */
	struct sha id;
	int64_t size;
	struct mount_root *root; /* NULL: a zone */
	struct str prefix;       /* zones: "" or "raw/" */
};

struct mount_tree *mount_tree_new(struct store *s);
void mount_tree_free(struct mount_tree *t);
struct node *mount_tree_top(struct mount_tree *t);
size_t mount_tree_nodes(const struct mount_tree *t); /* those that have a root */

/* With one more reference: 1, 0 nothing of that name, -1. */
must_check int mount_tree_lookup(struct mount_tree *t, struct node *in, struct str name, struct node **out,
                                 struct err *e);
/* A node for an entry of a folder that was just listed; with one reference. */
struct node *mount_tree_child(struct mount_tree *t, struct node *in, const struct entry *entry);
void mount_tree_forget(struct mount_tree *t, struct node *n, uint64_t lookups);
void mount_tree_stat(const struct mount_tree *t, const struct node *n, struct stat *st);
uint64_t mount_tree_ino(const struct node *in, struct str name);
/* Is it looked up each time (a repo's top folder)? */
bool mount_tree_moves(const struct node *n);

/* The names in a zone. */
struct zone_entry {
	struct str name;
	uint64_t ino;
};
must_check int mount_tree_zone(struct mount_tree *t, const struct node *in, struct arena *a, struct zone_entry **out,
                               size_t *n, struct err *e);
/* Under which names, in which zones, commits are known: for making the kernel let go of them. */
struct mount_name {
	struct node *zone;
	char *name;
};
void mount_tree_roots(struct mount_tree *t, struct arena *a, bool open /* those of open commits only */,
                      struct mount_name **out, size_t *n);
bool mount_tree_open(const struct mount_tree *t); /* whether an open commit is known */

#endif
