#ifndef DOCS_PAGE_H
#define DOCS_PAGE_H
/*
 * An OpenAPI document as a page of HTML: the same tables, for a reader.
 */
#include "buf.h"
#include "openapi.h"

/* The whole page. Its links are relative to the page's own place. */
void docs_page(const struct openapi *, struct buf *);
/* What stands in its style element, byte for byte. */
extern const char docs_page_style[];

/* --- docs_part.c: what an operation consists of --- */

/* Text, with everything escaped that HTML would read. */
void docs_part_text(struct buf *, const char *);
/* The same, and what stands between two backticks is code. */
void docs_part_words(struct buf *, const char *);
/* A table of the parameters, the body with its examples, the answers; each
 * nothing when the row has none. */
void docs_part_params(struct buf *, const struct route *);
void docs_part_body(struct buf *, const struct route_body *);
void docs_part_answers(struct buf *, const struct route *);
/* The answers that rows imply, said once. */
void docs_part_refusals(struct buf *);

#endif
