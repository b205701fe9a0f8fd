/*
 * Pages of lists. A row is written when the store gives it; nothing is kept
 * but how many there were.
 */
#include "page.h"

#include <stdio.h>

void
page_begin(struct page *page, struct route_reply *reply)
{
	*page = (struct page){ .reply = reply };
	buf_char(&reply->body, '[');
}

struct buf *
page_row(struct page *page)
{
	if (page->rows++ > 0)
		buf_char(&page->reply->body, ',');
	return &page->reply->body;
}

void
page_end(struct page *page, const struct route_request *req,
    const char *next)
{
	struct route_reply *reply = page->reply;

	buf_char(&reply->body, ']');
	reply->status = 200;
	reply->type = "application/json";
	if (next != NULL)
		route_header(reply, "Link", "<%s%s>; rel=\"next\"",
		    req->prefix, next);
}

void
page_end_before(struct page *page, const struct route_request *req,
    const char *path, long limit, long long last, bool more)
{
	char next[128];

	snprintf(next, sizeof(next), "%s?limit=%ld&before=%lld", path, limit,
	    last);
	page_end(page, req, more ? next : NULL);
}
