/*
 * SVG to PNG by librsvg (2.46 and later) and cairo. Names, numbers and shapes are those of their stable ABIs, declared
 * here, so that no header of theirs is needed and nothing links against them.
 */
#include "base/str.h"
#include "plot/plot.h"
#include "sys/dl.h"

struct rectangle {
	double x, y, width, height;
};
struct g_error {
	uint32_t domain;
	int code;
	char *message;
};
enum { CAIRO_ARGB32 = 0, CAIRO_OK = 0, CAIRO_WRITE_ERROR = 11 };

static struct {
	void *(*handle_new)(const uint8_t *, size_t, struct g_error **);
	int (*render)(void *, void *, const struct rectangle *, struct g_error **);
	void (*unref)(void *);
	void (*error_free)(struct g_error *);
	void *(*surface_new)(int, int, int);
	void *(*create)(void *);
	int (*write_png)(void *, int (*)(void *, const uint8_t *, unsigned), void *);
	int (*status)(void *);
	void (*surface_destroy)(void *);
	void (*destroy)(void *);
} f;

/* They bring glib with them; each library is asked for what is its own. */
static const struct dl_symbol rsvg_symbols[] = {
	{.name = "rsvg_handle_new_from_data", .where = &f.handle_new},
	{.name = "rsvg_handle_render_document", .where = &f.render},
	{.name = "g_object_unref", .where = &f.unref},
	{.name = "g_error_free", .where = &f.error_free},
	{.name = "cairo_image_surface_create", .where = &f.surface_new},
	{.name = "cairo_create", .where = &f.create},
	{.name = "cairo_surface_write_to_png_stream", .where = &f.write_png},
	{.name = "cairo_surface_status", .where = &f.status},
	{.name = "cairo_surface_destroy", .where = &f.surface_destroy},
	{.name = "cairo_destroy", .where = &f.destroy},
};
static const char *const names[] = {"librsvg-2.so.2", NULL};
static struct dl_lib library = {
	.name = "librsvg", .package = "librsvg2-2", .paths = names, .symbols = rsvg_symbols,
	.n_symbols = ARRAY_LEN(rsvg_symbols),
};

static int add(void *ptr, const uint8_t *data, unsigned n)
{
	struct buf *out = ptr;

	buf_add(out, data, n);
	return buf_over(out) ? CAIRO_WRITE_ERROR : CAIRO_OK;
}

static int failed(struct g_error *why, struct err *e)
{
	err_set(e, ERR_FAILED, "librsvg could not draw the plot: %s",
	        why ? STR_SHOWN(str_of(why->message)) : "no reason given");
	if (why)
		f.error_free(why);
	return -1;
}

int plot_png(struct str svg, unsigned width, unsigned height, struct buf *out, struct err *e)
{
	struct rectangle all = {0, 0, width, height};
	struct g_error *why = NULL;
	void *handle, *surface, *cr;
	int rc = -1;

	if (dl_load(&library, e)) {
		if (e->code == ERR_NO_LIBRARY)
			err_wrap(e, "a PNG needs it, an SVG (-o FILE.svg) does not");
		return -1;
	}
	handle = f.handle_new((const uint8_t *)svg.p, svg.n, &why);
	if (!handle)
		return failed(why, e);
	surface = f.surface_new(CAIRO_ARGB32, (int)width, (int)height);
	cr = f.create(surface);
	if (!f.render(handle, cr, &all, &why))
		failed(why, e);
	else if (f.status(surface) || f.write_png(surface, add, out))
		err_set(e, ERR_FAILED, "cairo could not make a PNG of %u x %u pixels", width, height);
	else
		rc = 0;
	f.destroy(cr);
	f.surface_destroy(surface);
	f.unref(handle);
	return rc;
}
