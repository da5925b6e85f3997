"""The words that the layers below must tell apart: C keywords and the kernel's attribute macros.

Tables only. The attribute lists need not be complete: `headers` and `declarations` also drop unknown words by their
position; a name must be here only where C itself would read it as a type (``void __user * __user *pages``).
"""

from __future__ import annotations

import re
from typing import Final


def _words(text: str) -> frozenset[bytes]:
    return frozenset(text.encode().split())


# Macros that expand to nothing or to an attribute, and take no argument.
ATTRIBUTES: Final = _words("""
    __user __iomem __percpu __rcu __force __kernel __safe __private __nocast __bitwise
    __must_check __maybe_unused __always_unused __used __init __exit __initdata __initconst __exitdata __exitused
    __meminit __meminitdata __memexit __cpuinit __devinit __ref __refdata __refconst __cold __hot __pure
    __attribute_const__ __weak __visible __malloc __noreturn __deprecated __packed __always_inline __noclone
    noinline notrace noinline_for_stack noinstr __noendbr __sched __lockfunc __kprobes nokprobe_inline
    __no_sanitize_address __no_kasan_or_inline __no_kcsan __no_sanitize_memory __no_profile __no_stack_protector
    __read_mostly __ro_after_init __cacheline_aligned ____cacheline_aligned __cacheline_aligned_in_smp
    ____cacheline_aligned_in_smp ____cacheline_internodealigned_in_smp __page_aligned_data __page_aligned_bss
    asmlinkage fastcall __init_or_module __init_memblock __initdata_memblock __net_init __net_exit
    __net_initdata __nosavedata __latent_entropy __randomize_layout __designated_init __no_randomize_layout
    __bpf_kfunc __irq_entry __softirq_entry __exception_irq_entry __tracepoint_string __restrict __restrict__
    __retain __cpuidle __head __flatten __gnu_inline __mayalias __extension__ __hyp_text __nonstring __section_init
    __init_refok __initdata_or_module __no_kstack_erase __signed __unqual __silent __uninitialized
    __efi_runtime __xen __noscs __noinitretpoline __used_section __vsyscall_fn __inittest
    __user_space __always_used __pgtbl __pte_attr __kernel_read __noreturn__ __leaf __scalar __swp __const __signed__
""")

# Macros with arguments that expand to an attribute.
ATTRIBUTE_CALLS: Final = _words("""
    __attribute__ __attribute __printf __scanf __releases __acquires __must_hold __cond_acquires
    __section __aligned __alloc_size __assume_aligned __alias __cleanup __free __counted_by __counted_by_le
    __counted_by_be __no_sanitize __nonstring_array __error __warning __diag_ignore __designated_init __malloc
    __guarded_by __diagnose_as __acquires_shared __releases_shared __must_hold_shared __declspec __nocast __copy
    __mode __weakref __returns_nonnull __nonnull __access __sentinel __aligned_u64 __cacheline_group_begin
    __bpf_kfunc_attr __context_unsafe __cond_releases __init_or_module_attr __pg_access __printf_like __diag_push
    __section_init __element_count __element_count_le __acquire_attr alloc_size aligned packed_aligned noinline_attr
    __noclone_attr ____aligned __force_order_attr __attribute_used_ __alignas _Alignas alignas __btf_type_tag
    __typecheck_attr __user_attr __retain __assume __realloc_size
""")

TYPEOF: Final = _words("""
    typeof __typeof__ __typeof typeof_member __unqual_scalar_typeof TYPEOF_UNQUAL typeof_unqual __typeof_unqual__
    __native_word_type __percpu_typeof
""")
RECORDS: Final = _words("struct union enum")
# Words that are a type by themselves, keywords or not.
TYPES: Final = _words("""
    void char short int long float double signed unsigned bool _Bool size_t ssize_t ptrdiff_t uintptr_t intptr_t
    int8_t int16_t int32_t int64_t uint8_t uint16_t uint32_t uint64_t __signed__ __int128 _Complex
""")
TYPE_KEYWORDS: Final = _words("void char short int long float double signed unsigned bool _Bool __int128")
QUALIFIERS: Final = _words("""
    static extern inline __inline __inline__ const __const volatile __volatile__ register restrict auto typedef
    _Atomic _Noreturn _Thread_local __thread constexpr
""")
STORAGE: Final = _words("static inline extern __inline __inline__ const")
STATEMENTS: Final = _words("""
    if else while for do switch case default return goto break continue asm __asm__ __asm
""")
CONTROLS: Final = _words("if while switch for")
SIZEOF: Final = _words("sizeof __alignof__ alignof _Alignof __alignof")
ALIGNOF: Final = _words("__alignof__ __alignof alignof _Alignof")
QUERIES: Final = ALIGNOF | _words("offsetof _Generic")
# Words that start a type.
TYPE_STARTS: Final = RECORDS | TYPE_KEYWORDS | _words("const volatile static extern register typedef inline restrict")
HEADER_TYPES: Final = _words("""
    static extern inline const volatile struct union enum void char short int long float double signed unsigned
    register typedef bool
""")
KEYWORDS: Final = STATEMENTS | TYPE_STARTS | SIZEOF | TYPE_KEYWORDS | QUALIFIERS

ASM: Final = _words("asm __asm__ __asm asm_inline asm_volatile_goto asm_goto_output asm_goto")
ASM_QUALIFIERS: Final = _words("volatile __volatile__ goto inline __inline__ __inline __volatile asm_inline")
# Those that tree-sitter-c knows.
PLAIN_ASM: Final = _words("asm __asm__ __asm")
PLAIN_ASM_QUALIFIERS: Final = _words("volatile __volatile__ goto inline")
VOLATILE_SPELLINGS: Final = _words("__volatile__ __volatile")

# Names in kernel C that tree-sitter-c reserves.
RESERVED: Final = _words("""
    noreturn _Nonnull alignas thread_local nullptr __try __leave __except __finally _unaligned __unaligned __based
    __cdecl __stdcall __fastcall __thiscall __vectorcall __clrcall __uptr __sptr __declspec __forceinline asm_ TRUE_
""")

# ``__foo`` is taken for an attribute, unless it looks like a type.
UNDERSCORED: Final = re.compile(rb"__[a-z]")
UNDERSCORED_TYPE: Final = re.compile(rb"__(?:[us]|be|le|kernel_\w+_t|wsum|sum16|poll_t|virtio|hc|fs)\d*\Z|__\w+_t\Z")
WORD: Final = re.compile(rb"[A-Za-z_]\w*")
SYSCALL_MACRO: Final = re.compile(
    rb"(?:COMPAT_|PPC32_|X32_|IA32_)*SYSCALL(?:32)?_DEFINE(\d)(?:_WRAP)?\Z|BPF_CALL_(\d)\Z"
    rb"|__?\w*SYSCALL_DEFINEx?(\d?)\Z"
)


def is_attribute_like(word: bytes) -> bool:
    """True for ``__something`` that does not look like a type."""
    return UNDERSCORED.match(word) is not None and UNDERSCORED_TYPE.match(word) is None
