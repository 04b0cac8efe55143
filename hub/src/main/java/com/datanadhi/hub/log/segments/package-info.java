@NullMarked
package com.datanadhi.hub.log.segments;

import org.jspecify.annotations.NullMarked;
