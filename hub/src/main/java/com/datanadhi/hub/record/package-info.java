@NullMarked
package com.datanadhi.hub.record;

import org.jspecify.annotations.NullMarked;
