@NullMarked
package com.datanadhi.hub.query;

import org.jspecify.annotations.NullMarked;
