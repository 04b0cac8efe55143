@NullMarked
package com.datanadhi.hub.control;

import org.jspecify.annotations.NullMarked;
