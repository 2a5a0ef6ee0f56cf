/*
 * base/glob_in.h: the machine that a pattern becomes, for glob.c, which makes it and runs it over a whole path, and
 * glob_walk.c, which runs it name by name; for nobody else.
 */
#ifndef LEAT_BASE_GLOB_IN_H
#define LEAT_BASE_GLOB_IN_H

#include "base/glob.h"

enum op {
	OP_BYTE,  /* this byte */
	OP_ONE,   /* one character, no '/' */
	OP_STAR,  /* any, no '/' */
	OP_DEEP,  /* any */
	OP_SET,   /* one character of set a */
	OP_SPLIT, /* goes on at a and at b */
	OP_JUMP,  /* goes on at a; b: 0, or what it marks: 2 * group + 1 its begin, + 2 its end */
	OP_NOT,   /* a: number of this negation; the body follows, up to OP_END; goes on at b */
	OP_END,
};

struct state {
	enum op op;
	char c;
	uint32_t a, b;
};

struct range {
	uint32_t from, to;
};

struct set {
	bool negated;
	VEC(struct range) ranges;
};

/* Patterns of at most that many states, and without !( ) in !( ), are walked with a word of states that are alive. */
#define GLOB_WORD 64

struct glob {
	VEC(struct state) states;
	VEC(struct set) sets;
	uint32_t n_nots;
	uint32_t n_groups; /* that capture */
	bool nested;      /* one !( ) is in another */
	struct str fixed; /* bytes that every match begins with */
	struct str folder;
	uint64_t *closure; /* of each state: what is alive with it, without those that only lead on; NULL: too large */
	uint64_t *next;    /* of each state: what is alive after a character that it takes */
	uint64_t *takes;   /* of each ASCII character: the states that take it */
	uint64_t nots;     /* the states that are negations */
};

/* The word of a pattern of few states (glob_walk.c). */
void glob_close(struct arena *a, struct glob *g);
bool glob_set_holds(const struct set *s, uint32_t c);
/* The character at byte `at` of s, and how many bytes it has; 0 at the end. What is no UTF-8 is one byte. */
size_t glob_char(struct str s, size_t at, uint32_t *c);
/* Whether s, the path of a folder with a '/' behind it, can be the begin of a match. Any pattern; slow. */
bool glob_leads(const struct glob *g, struct str s);

struct match {
	const struct glob *g;
	struct str path;
	struct arena *a;
	uint64_t **ends; /* of each negation and each place it begins at: where its body may end; made when asked for */
};
/* How many bytes a state takes at a place; 0 if it takes none there. */
size_t glob_takes(const struct match *m, const struct state *s, size_t at);
/* Bit k: the body of negation `s` that begins at `at` can end at at + k, up to the end of the name. */
const uint64_t *glob_body_ends(struct match *m, uint32_t s, size_t at, size_t to);
size_t glob_segment_end(const struct match *m, size_t at);

#endif
