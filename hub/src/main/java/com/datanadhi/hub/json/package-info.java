@NullMarked
package com.datanadhi.hub.json;

import org.jspecify.annotations.NullMarked;
