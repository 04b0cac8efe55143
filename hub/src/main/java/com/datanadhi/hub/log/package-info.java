/// The store contract: an interface, its records and its errors.
@NullMarked
package com.datanadhi.hub.log;

import org.jspecify.annotations.NullMarked;
