// Copies a tree where no overlay can be had.
#pragma once

namespace plz::init {

// Makes `target` a copy of the directory `source`: files, directories, symbolic links, modes and
// modification times; other kinds of file are left out. What `target` held before is replaced, name
// by name. Links are not followed. False: complained.
bool copy_tree(const char* source, const char* target);

}  // namespace plz::init
