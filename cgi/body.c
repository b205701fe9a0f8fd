/*
 * Bodies of small requests: parsed whole, checked by their table, refused
 * with every member that is wrong.
 */
#include "body.h"

bool
body_read(const struct route_request *req, struct route_reply *reply,
    const struct field *fields, void *into, unsigned long *present,
    enum body_members members, const char *what)
{
	struct json_error error;
	struct json *root = json_parse(req->body, req->body_len, &error);
	bool ok;

	if (root == NULL) {
		route_problem(req, reply, 400, "byte %zu: %s", error.offset,
		    error.message);
		return false;
	}
	if (json_kind(root) != JSON_OBJECT) {
		json_free(root);
		route_problem(req, reply, 400,
		    "the body must be a JSON object");
		return false;
	}
	ok = fields_read(fields, root, into, present,
	    members == BODY_STRICT, route_problem_field, reply);
	json_free(root);
	if (!ok)
		route_problem(req, reply, 400, "%s is not valid", what);
	return ok;
}
