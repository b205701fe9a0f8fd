#ifndef PATCH_H
#define PATCH_H
/*
 * What turns one document into another, as a JSON Patch (RFC 6902).
 */
#include "json.h"

enum { PATCH_MAX = 4 << 20 };	/* bytes of a patch */

/* The rows of a patch, for the document. */
extern const struct field patch_fields[];

/*
 * Adds the patch to out. One that would be longer than PATCH_MAX replaces
 * the whole document instead. Both documents were accepted once. Fails only
 * as a buf does.
 */
void patch_make(struct buf *out, const struct json_span *from,
    const struct json_span *to);

#endif
