@NullMarked
package com.datanadhi.hub.metrics;

import org.jspecify.annotations.NullMarked;
