/*
 * Patches between documents. Paths are repeated in each operation, so that a
 * patch can be many times as long as both documents: it is bounded here.
 */
#include "patch.h"

const struct field patch_fields[] = {
	{ .name = "op", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .choices = "add remove replace", .doc = "What is done" },
	{ .name = "path", .kind = FIELD_TEXT, .need = FIELD_REQUIRED,
	    .doc = "Where, a JSON Pointer (RFC 6901)" },
	{ .name = "value", .kind = FIELD_RAW, .need = FIELD_OMIT,
	    .doc = "The new value, not with remove" },
	{ .name = NULL },
};

void
patch_make(struct buf *out, const struct json_span *from,
    const struct json_span *to)
{
	struct json *a = json_parse(from->text, from->len, NULL);
	struct json *b = json_parse(to->text, to->len, NULL);
	struct buf patch = BUF_INIT(PATCH_MAX);

	if (a != NULL && b != NULL)
		json_diff(&patch, a, b);
	if (a != NULL && b != NULL && !patch.failed) {
		buf_add(out, buf_text(&patch), patch.len);
	} else {
		buf_str(out, "[{\"op\":\"replace\",\"path\":\"\",\"value\":");
		buf_add(out, to->text, to->len);
		buf_str(out, "}]");
	}
	buf_free(&patch);
	json_free(a);
	json_free(b);
}
