#ifndef PAGE_H
#define PAGE_H
/*
 * A page of a list, as JSON: an array of rows, and where the next page is.
 */
#include "route.h"

enum { PAGE_MAX = 1000 };

struct page {
	struct route_reply *reply;
	long rows;
};

/* Begins the body of a reply. */
void page_begin(struct page *, struct route_reply *);
/* Where the next row is to be written. */
struct buf *page_row(struct page *);
/* Ends it with a 200. next: "/audit?limit=100&before=4711", where the next
 * page is below the prefix; NULL: this was the last. */
void page_end(struct page *, const struct route_request *, const char *next);
/* The same for lists whose next page is "PATH?limit=&before=". */
void page_end_before(struct page *, const struct route_request *,
    const char *path, long limit, long long last, bool more);

/* The parameters of such lists. */
#define PAGE_LIMIT(what)						\
	{ .name = "limit", .in = ROUTE_IN_QUERY, .kind = ROUTE_WHOLE,	\
	    .min = 1, .max = PAGE_MAX, .fallback = "100",		\
	    .example = "100", .doc = what " of one page" }
#define PAGE_BEFORE(number, what)					\
	{ .name = "before", .in = ROUTE_IN_QUERY, .kind = ROUTE_WHOLE,	\
	    .min = 1, .max = 1LL << 53, .example = number,		\
	    .doc = "Only " what }

#endif
