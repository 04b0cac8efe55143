/// Objects that are created once and never changed: in a folder, or in a bucket of S3.
@NullMarked
package com.datanadhi.hub.objects;

import org.jspecify.annotations.NullMarked;
