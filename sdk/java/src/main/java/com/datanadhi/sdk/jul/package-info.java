/** A handler for java.util.logging. */
@NullMarked
package com.datanadhi.sdk.jul;

import org.jspecify.annotations.NullMarked;
